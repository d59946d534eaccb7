#!/usr/bin/env bash
# Cells REST as scripts call it with curl: session, listings, create, delete, the admin's listing.
CLIENT=cells
. "$CLIENTS/case.sh"

A=$CELLGATE_URL/a

login() {
    curl -sSf -c "cookies.$1" -H 'Content-Type: application/json' "$A/frontend/session" -d "$(python3 -c '
import json, sys
print(json.dumps({"AuthInfo": {"type": "credentials", "login": sys.argv[1], "password": sys.argv[2]}}))' "$1" "$2")"
}

# METHOD path [body], as the user.
call() {
    local method=$1 path=$2
    shift 2
    curl -sSf -X "$method" -H "Authorization: Bearer $(cat token)" -H 'Content-Type: application/json' \
        ${1:+-d "$1"} "$A$path"
}

status() {
    local method=$1 path=$2
    shift 2
    curl -s -o /dev/null -w '%{http_code}' -X "$method" -H "Authorization: Bearer $(cat token)" \
        -H 'Content-Type: application/json' ${1:+-d "$1"} "$A$path"
}

sign_in() {
    local answer
    answer=$(login "$CELLGATE_USER" "$CELLGATE_PASSWORD")
    printf '%s' "$answer" | json '["JWT"]' > token
    equal "$(cat token)" "$(printf '%s' "$answer" | json '["Token"]["AccessToken"]')"
    # Absolute, a number in one place and a text in the other.
    equal "$(printf '%s' "$answer" | json '["ExpireTime"]')" "$(printf '%s' "$answer" | json '["Token"]["ExpiresAt"]')"
    [ "$(printf '%s' "$answer" | json '["ExpireTime"]')" -gt "$(date +%s)" ]
    contains "$(cat "cookies.$CELLGATE_USER")" pydio
}

refused() {
    equal "$(curl -s -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' "$A/frontend/session" \
        -d '{"AuthInfo":{"type":"credentials","login":"nobody","password":"wrong"}}')" 401
    equal "$(curl -s -o /dev/null -w '%{http_code}' -X POST -d '{"NodePaths":["/*"]}' "$A/tree/stats")" 401
    equal "$(curl -s -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer x' -X POST -d '{}' "$A/tree/stats")" 401
}

refresh() {
    local answer
    answer=$(curl -sSf -b "cookies.$CELLGATE_USER" -c "cookies.$CELLGATE_USER" -H 'Content-Type: application/json' \
        "$A/frontend/session" -d '{"AuthInfo":{"type":"refresh"}}')
    printf '%s' "$answer" | json '["JWT"]' > token
    call POST /tree/stats '{"NodePaths":["/*"]}' > /dev/null
}

workspaces() {
    local answer
    # As the presentation of the API has it.
    answer=$(call POST /tree/stats '{"NodePaths":["/*"]}')
    contains "$answer" '"personal-files"'
    contains "$answer" '"common-files"'
    printf '%s' "$answer" | python3 -c '
import json, sys
for node in json.load(sys.stdin)["Nodes"]:
    assert node["Type"] == "COLLECTION", node
    # Values of the MetaStore are JSON texts.
    assert json.loads(node["MetaStore"]["ws_slug"]) == node["Path"], node
    assert json.loads(node["MetaStore"]["ws_scope"]) == "ADMIN", node'
}

create() {
    call POST /tree/create '{"Nodes":[{"Path":"personal-files/made é","Type":"COLLECTION"},
        {"Path":"personal-files/made é/note.txt","Type":"LEAF","MetaStore":{"Contents":"\"hello\""}}]}' > /dev/null
    local answer
    answer=$(call GET "/tree/stat/personal-files%2Fmade%20%C3%A9%2Fnote.txt")
    equal "$(printf '%s' "$answer" | json '["Node"]["Path"]')" "personal-files/made é/note.txt"
    equal "$(printf '%s' "$answer" | json '["Node"]["Size"]')" 5
    equal "$(printf '%s' "$answer" | json '["Node"]["Etag"]')" 5d41402abc4b2a76b9719d911017c592
    # What is there is a conflict, and stays.
    equal "$(status POST /tree/create '{"Nodes":[{"Path":"personal-files/made é","Type":"COLLECTION"}]}')" 409
}

bulk() {
    local answer
    answer=$(call POST /meta/bulk/get '{"NodePaths":["personal-files/made é","personal-files/made é/*"],"Limit":100}')
    # The folder itself comes first.
    equal "$(printf '%s' "$answer" | json '["Nodes"][0]["Path"]')" "personal-files/made é"
    equal "$(printf '%s' "$answer" | json '["Nodes"][1]["Path"]')" "personal-files/made é/note.txt"
    # What is missing is left out of a stat and refuses a listing.
    equal "$(call POST /tree/stats '{"NodePaths":["personal-files/nothing"]}')" "{}"
    equal "$(status POST /tree/stats '{"NodePaths":["personal-files/nothing/*"]}')" 404
}

pages() {
    local nodes="" n answer
    for n in 1 2 3 4 5 6 7; do nodes="$nodes{\"Path\":\"personal-files/pages/$n\",\"Type\":\"COLLECTION\"},"; done
    call POST /tree/create "{\"Nodes\":[{\"Path\":\"personal-files/pages\",\"Type\":\"COLLECTION\"},${nodes%,}]}" > /dev/null
    answer=$(call POST /tree/stats '{"NodePaths":["personal-files/pages/*"],"Limit":3,"Offset":3}')
    equal "$(printf '%s' "$answer" | json '["Nodes"][0]["Path"]')" personal-files/pages/4
    equal "$(printf '%s' "$answer" | json '["Pagination"]["Total"]')" 7
    equal "$(printf '%s' "$answer" | json '["Pagination"]["TotalPages"]')" 3
    equal "$(printf '%s' "$answer" | json '["Pagination"]["NextOffset"]')" 6
}

jobs() {
    local job
    job=$(call PUT /jobs/user/move '{"JsonParameters":"{\"nodes\":[\"personal-files/made é/note.txt\"],\"target\":\"personal-files/pages\",\"targetParent\":true}"}' |
        json '["JobUuid"]')
    equal "$(call POST /jobs/user "{\"JobIDs\":[\"$job\"],\"LoadTasks\":\"Any\"}" |
        json '["Jobs"][0]["Tasks"][0]["Status"]')" Finished
    equal "$(call GET /tree/stat/personal-files/pages/note.txt | json '["Node"]["Size"]')" 5
    equal "$(status GET "/tree/stat/personal-files/made%20%C3%A9/note.txt")" 404
}

delete_and_restore() {
    contains "$(call POST /tree/delete '{"Nodes":[{"Path":"personal-files/pages/note.txt"}]}')" DeleteJobs
    equal "$(status GET /tree/stat/personal-files/pages/note.txt)" 404
    call GET /tree/stat/personal-files/recycle_bin/note.txt > /dev/null
    contains "$(call POST /tree/restore '{"Nodes":[{"Path":"personal-files/recycle_bin/note.txt"}]}')" RestoreJobs
    equal "$(call GET /tree/stat/personal-files/pages/note.txt | json '["Node"]["Size"]')" 5
    call POST /tree/delete '{"Nodes":[{"Path":"personal-files/pages"}],"RemovePermanently":true}' > /dev/null
    equal "$(status GET /tree/stat/personal-files/pages)" 404
    equal "$(status POST /tree/delete '{"Nodes":[{"Path":"personal-files/pages"}]}')" 404
}

admin_list() {
    local answer
    equal "$(status POST /tree/admin/list '{"Node":{"Path":"/"}}')" 401
    answer=$(login admin "$CELLGATE_ADMIN_PASSWORD" | json '["JWT"]')
    answer=$(curl -sSf -X POST -H "Authorization: Bearer $answer" -d '{"Node":{"Path":"/"}}' "$A/tree/admin/list")
    equal "$(printf '%s' "$answer" | json '["Parent"]["Uuid"]')" ROOT
    contains "$answer" '"DATASOURCE:pydiods1"'
    contains "$answer" '"DATASOURCE:personal"'
}

bad_input() {
    equal "$(status POST /tree/stats '{"NodePaths":')" 400
    equal "$(status POST /tree/stats '{"NodePaths":7}')" 400
    equal "$(status POST /tree/create '{"Nodes":[{"Path":"personal-files/../x","Type":"COLLECTION"}]}')" 400
    equal "$(status POST /tree/create '{"Nodes":[]}')" 400
    # Whatever is wrong with a path, a stat says 404.
    equal "$(status GET /tree/stat/personal-files%2F%00)" 404
    equal "$(status POST /tree/create "{\"Nodes\":[{\"Path\":\"personal-files/$(printf 'x%.0s' $(seq 300))\"}]}")" 400
    equal "$(status GET /nothing/at/all)" 404
    # Known and not built.
    equal "$(status GET /config/datasource)" 501
}

logout() {
    curl -sSf -b "cookies.$CELLGATE_USER" -H 'Content-Type: application/json' -H "Authorization: Bearer $(cat token)" \
        "$A/frontend/session" -d '{"AuthInfo":{"type":"logout"}}' > /dev/null
    equal "$(status POST /tree/stats '{"NodePaths":["/*"]}')" 401
}

try "session: credentials" sign_in
try "session: refused" refused
try "session: refresh" refresh
try "tree/stats of /*" workspaces
try "tree/create, tree/stat" create
try "meta/bulk/get" bulk
try "pages" pages
try "jobs: move" jobs
try "tree/delete, tree/restore" delete_and_restore
try "tree/admin/list" admin_list
try "bad input" bad_input
try "session: logout" logout

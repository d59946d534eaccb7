#!/usr/bin/env bash
# Pydio 8 as scripts call it with curl: /api/ with Basic, and the session of /index.php.
CLIENT=pydio8
. "$CLIENTS/case.sh"

API=$CELLGATE_URL/api/my-files
api() { curl -sSf -u "$CELLGATE_USER:$CELLGATE_PASSWORD" "$@"; }

make_file data.bin 100000
echo "first" > note.txt

# The paths of a listing, one a line; a message that is an error fails.
paths() {
    python3 -c '
import sys, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.read())
for message in root.iter("message"):
    assert message.get("type") != "ERROR", message.text
for node in root.findall("tree"):
    print(node.get("filename"))'
}

message() {
    python3 -c '
import sys, xml.etree.ElementTree as tree
message = tree.fromstring(sys.stdin.read()).find("message")
print(message.get("type") + ": " + message.text)'
}

authentication() {
    equal "$(curl -s -o /dev/null -w '%{http_code}' "$API/ls/")" 401
    equal "$(curl -s -o /dev/null -w '%{http_code}' -u "$CELLGATE_USER:wrong" "$API/ls/")" 401
    api "$API/ls/" | paths
    # A key is good for it too.
    curl -sSf -u "$CELLGATE_KEY_ID:$CELLGATE_KEY_SECRET" "$API/ls/" | paths
}

mkdir_() {
    equal "$(api "$API/mkdir/docs" | message)" "SUCCESS: The directory docs has been created in /"
    contains "$(api -X POST "$API/mkdir/docs/a%20b" | message)" "SUCCESS"
    contains "$(api "$API/mkdir/docs" | message)" "ERROR: This directory already exists"
    contains "$(api "$API/mkdir/none/below" | message)" "ERROR: Cannot find folder"
    equal "$(api "$API/ls/docs" | paths)" "/docs/a b"
}

upload() {
    local answer
    answer=$(api -F force_post=true -F xhr_uploader=true -F 'urlencoded_filename=d%C3%A9%20%2B.bin' \
        -F 'userfile_0=@data.bin;filename=fake-name' "$API/upload/put/docs")
    contains "$answer" '<nodes_diff><add>'
    contains "$answer" 'filename="/docs/dé +.bin"'
    api -F force_post=true -F xhr_uploader=true -F 'userfile_0=@note.txt' "$API/upload/put/docs" > /dev/null
    # As old scripts do: the body itself, the name in a header.
    api -X PUT -H 'X-File-Name: put.bin' --data-binary @data.bin "$API/upload/input_stream/docs" > /dev/null
    equal "$(api "$API/ls/docs" | paths | sort)" "$(printf '%s\n' '/docs/a b' '/docs/dé +.bin' /docs/note.txt /docs/put.bin | sort)"
}

upload_in_parts() {
    head -c 60000 data.bin > part.1
    tail -c +60001 data.bin > part.2
    local n
    for n in 1 2; do
        api -F force_post=true -F xhr_uploader=true -F urlencoded_filename=parts.bin \
            -F partial_upload=true -F partial_target_bytesize=100000 \
            $([ $n = 2 ] && echo -F appendto_urlencoded_part=parts.bin) \
            -F "userfile_0=@part.$n;filename=fake-name" "$API/upload/put/docs" > /dev/null
    done
    api -o parts.back "$API/download/docs/parts.bin"
    same_file data.bin parts.back
}

download() {
    api -o back "$API/download/docs/d%C3%A9%20%2B.bin"
    same_file data.bin back
    api -o put.back "$API/download/docs/put.bin"
    same_file data.bin put.back
    equal "$(api -r 100-199 "$API/download/docs/put.bin" | cmp - <(tail -c +101 data.bin | head -c 100) && echo same)" same
    contains "$(api "$API/download/docs/nothing")" "Cannot find file"
}

stat_() {
    equal "$(api "$API/stat/docs/put.bin" | json '["size"]')" 100000
    equal "$(api "$API/stat/docs/nothing")" "{}"
}

content() {
    equal "$(api "$API/get_content/docs/note.txt")" first
    contains "$(api -d 'file=/docs/note.txt' --data-urlencode 'content=se&lt;cond' "$API/put_content/" | message)" SUCCESS
    equal "$(api "$API/get_content/docs/note.txt")" "se<cond"
    contains "$(api -d 'file=/docs/none.txt' -d 'content=x' "$API/put_content/" | message)" ERROR
}

rename_() {
    contains "$(api -d 'file=/docs/note.txt' -d 'filename_new=renamed.txt' "$API/rename/" | message)" \
        "SUCCESS: note.txt has been renamed to renamed.txt"
    contains "$(api -d 'file=/docs/renamed.txt' -d 'dest=/docs/a b/moved.txt' "$API/rename/" | message)" SUCCESS
    equal "$(api "$API/get_content/docs/a%20b/moved.txt")" "se<cond"
    contains "$(api -d 'file=/docs/nothing' -d 'filename_new=x' "$API/rename/" | message)" ERROR
}

copy_and_move() {
    contains "$(api -d 'file=/docs/a b/moved.txt' -d 'dest=/docs' "$API/copy/" | message)" SUCCESS
    equal "$(api "$API/get_content/docs/moved.txt")" "se<cond"
    # Beside its source a copy takes another name.
    contains "$(api -d 'file=/docs/moved.txt' -d 'dest=/docs' "$API/copy/" | message)" SUCCESS
    equal "$(api "$API/get_content/docs/moved-1.txt")" "se<cond"
    contains "$(api -d 'file=/docs/moved-1.txt' -d 'dest=/docs/a b' "$API/move/" | message)" SUCCESS
    lacks "$(api "$API/ls/docs" | paths)" "/docs/moved-1.txt"
    contains "$(api "$API/ls/docs/a%20b" | paths)" "/docs/a b/moved-1.txt"
}

json_form() {
    equal "$(api -H 'Accept: application/json' "$API/ls/docs?options=al" | json '["data"]["children"]["/docs/put.bin"]["type"]')" leaf
    contains "$(api -d format=json -d 'file=/docs/put.bin' -d 'filename_new=p.bin' "$API/rename/")" '"nodesDiff"'
}

delete() {
    contains "$(api -d 'file=/docs/p.bin' "$API/delete/docs/p.bin" | message)" "has been moved to the  Recycle Bin"
    contains "$(api "$API/ls/recycle_bin" | paths)" "/recycle_bin/p.bin"
    contains "$(api -d 'file=/recycle_bin/p.bin' "$API/delete/recycle_bin/p.bin" | message)" "has been deleted"
    lacks "$(api "$API/ls/recycle_bin" | paths)" "p.bin"
    contains "$(api -d 'file=/docs/nothing' "$API/delete/docs/nothing" | message)" "Cannot find file"
}

unknown() {
    contains "$(api "$API/no_such_action" | message)" "ERROR: Could not find action no_such_action"
    contains "$(api "$CELLGATE_URL/api/no-such-workspace/ls/" | message)" "ERROR: Could not find workspace"
    # Known and not built.
    equal "$(curl -s -o /dev/null -w '%{http_code}' -u "$CELLGATE_USER:$CELLGATE_PASSWORD" "$API/compress/docs")" 501
    equal "$(curl -s -o /dev/null -w '%{http_code}' -u "$CELLGATE_USER:$CELLGATE_PASSWORD" "$API/ls/..%2F..%2F")" 200
    contains "$(api "$API/ls/..%2F..%2F" | message)" ERROR
}

# The session: a cookie, a token that each request repeats.
INDEX=$CELLGATE_URL/index.php
visit() { curl -sSf -b jar -c jar "$@"; }

session() {
    local token answer id
    rm -f jar
    answer=$(visit "$INDEX?get_action=get_boot_conf")
    token=$(printf '%s' "$answer" | json '["SECURE_TOKEN"]')
    lacks "$answer" '"backend"'
    equal "$(visit "$INDEX?get_action=get_seed")" -1
    answer=$(visit --data-urlencode "userid=$CELLGATE_USER" --data-urlencode "password=$CELLGATE_PASSWORD" \
        -d get_action=login -d login_seed=-1 -d "secure_token=$token" "$INDEX")
    contains "$answer" '<logging_result value="1"'
    token=$(printf '%s' "$answer" | sed 's/.*secure_token="\([^"]*\)".*/\1/')
    id=$(visit -d get_action=get_xml_registry -d xPath=user/repositories -d "secure_token=$token" "$INDEX" | python3 -c '
import sys, xml.etree.ElementTree as tree
for repository in tree.fromstring(sys.stdin.read()).iter("repo"):
    if repository.find("label").text == "Personal Files":
        print(repository.get("id"))')
    equal "$(visit -d get_action=switch_repository -d "repository_id=$id" -d "secure_token=$token" "$INDEX")" ""
    contains "$(visit -d get_action=ls -d options=al -d dir=/ -d "secure_token=$token" "$INDEX" | paths)" /docs
    contains "$(visit -d get_action=ls -d dir=/docs -d tmp_repository_id=my-files -d "secure_token=$token" "$INDEX" | paths)" "/docs/a b"
    # A token that is wrong, a session that is none.
    contains "$(visit -d get_action=ls -d dir=/ -d secure_token=wrong "$INDEX")" "You are not allowed to access this resource."
    contains "$(curl -sSf -d get_action=ls -d dir=/ "$INDEX")" "<require_auth/>"
    contains "$(visit "$INDEX?get_action=logout&secure_token=$token")" '<logging_result value="2"'
    contains "$(visit -d get_action=ls -d dir=/ -d "secure_token=$token" "$INDEX")" "<require_auth/>"
}

wrong_password() {
    rm -f jar
    contains "$(visit -d get_action=login -d "userid=$CELLGATE_USER" -d password=wrong -d login_seed=-1 "$INDEX")" \
        '<logging_result value="-1"/>'
}

try "Basic authentication" authentication
try "mkdir, ls" mkdir_
try "upload" upload
try "upload in parts" upload_in_parts
try "download" download
try "stat" stat_
try "get_content, put_content" content
try "rename" rename_
try "copy, move" copy_and_move
try "JSON" json_form
try "delete" delete
try "unknown, not built, out of bounds" unknown
try "session" session
try "session: wrong password" wrong_password

#!/usr/bin/env bash
# cec, the command line of Pydio Cells: signed in by a token and by a password.
CLIENT=cec
. "$CLIENTS/case.sh"

# It does not start with it.
unset AWS_CA_BUNDLE
export CEC_URL=$CELLGATE_URL
CEC_TOKEN=$(curl -sSf -H 'Content-Type: application/json' "$CELLGATE_URL/a/frontend/session" -d "$(python3 -c '
import json, sys
print(json.dumps({"AuthInfo": {"type": "credentials", "login": sys.argv[1], "password": sys.argv[2]}}))' \
    "$CELLGATE_USER" "$CELLGATE_PASSWORD")" | json '["JWT"]')
export CEC_TOKEN

mkdir -p tree/a/b
make_file small 1000
make_file parts 24000000
make_file "tree/a/b/deep é.bin" 70000
echo one > tree/one.txt

ls_() {
    contains "$(cec ls)" "personal-files"
    contains "$(cec ls)" "common-files"
    contains "$(cec ls -d personal-files)" "TYPE"
}

mkdir_() {
    cec mkdir -p personal-files/cec/sub
    contains "$(cec ls personal-files/cec)" "sub"
}

scp_up_and_down() {
    cec scp small cells://personal-files/cec/
    contains "$(cec ls personal-files/cec)" "small"
    mkdir down
    cec scp cells://personal-files/cec/small down/
    same_file small down/small
}

# Above the threshold in parts of 10 MB.
scp_in_parts() {
    cec scp --multipart-threshold 10 --part-size 10 parts cells://personal-files/cec/
    cec scp cells://personal-files/cec/parts down/
    same_file parts down/parts
}

scp_folder() {
    cec scp tree cells://personal-files/cec/
    mkdir -p back
    cec scp cells://personal-files/cec/tree back/
    diff -r tree back/tree
}

cp_and_mv() {
    cec cp personal-files/cec/small personal-files/cec/sub/
    cec mv personal-files/cec/sub/small personal-files/cec/sub/moved
    rm -f down/moved
    cec scp cells://personal-files/cec/sub/moved down/
    same_file small down/moved
    lacks "$(cec ls personal-files/cec/sub)" "small"
    contains "$(cec ls personal-files/cec)" "small"
}

rm_() {
    cec rm --force personal-files/cec/sub/moved
    lacks "$(cec ls personal-files/cec/sub)" "moved"
    contains "$(cec ls personal-files/recycle_bin)" "moved"
}

by_password() {
    local CEC_TOKEN=
    unset CEC_TOKEN
    export CEC_LOGIN=$CELLGATE_USER CEC_PASSWORD=$CELLGATE_PASSWORD
    contains "$(cec ls personal-files/cec)" "small"
    cec scp tree/one.txt cells://personal-files/cec/
    mkdir password
    cec scp cells://personal-files/cec/one.txt password/
    same_file tree/one.txt password/one.txt
}

wrong_token() {
    lacks "$(CEC_TOKEN=wrong cec ls personal-files/cec 2>&1 || true)" "small"
}

try "ls" ls_
try "mkdir" mkdir_
try "scp up and down" scp_up_and_down
try "scp in parts" scp_in_parts
try "scp of a folder" scp_folder
try "cp, mv" cp_and_mv
try "rm" rm_
try "by login and password" by_password
try "a wrong token" wrong_token

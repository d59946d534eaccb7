#!/usr/bin/env bash
# mc, MinIO's client: its own probes, copies, mirrors, streams, pipes, tags.
CLIENT=mc
. "$CLIENTS/case.sh"

export MC_CONFIG_DIR=$WORK/mc MC_DISABLE_PAGER=1
# It refuses names of two letters.
BUCKET=gate/data/personal-files
mc() { command mc --quiet --no-color "$@"; }

make_file small 1000
make_file parts 20000000

# It asks for a bucket that it made up, to see whether this is S3.
alias_set() {
    mc alias set gate "$CELLGATE_URL" "$CELLGATE_KEY_ID" "$CELLGATE_KEY_SECRET" --path on
    contains "$(mc ls gate)" "io/"
    contains "$(mc ls gate/data)" "personal-files/"
}

cp_up_and_down() {
    mc cp small "$BUCKET/cp/small é +%20.bin"
    mc cp "$BUCKET/cp/small é +%20.bin" back
    same_file small back
    mc cp parts $BUCKET/cp/parts.bin
    mc cp $BUCKET/cp/parts.bin parts.back
    same_file parts parts.back
}

# Names, sizes and times as JSON lines.
ls_json() {
    mc ls --json --recursive $BUCKET/cp/ | python3 -c '
import datetime, json, sys
found = {}
for line in sys.stdin:
    entry = json.loads(line)
    found[entry["key"]] = entry["size"]
    age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(entry["lastModified"])
    assert -5 < age.total_seconds() < 300, entry
assert found == {"small é +%20.bin": 1000, "parts.bin": 20000000}, found'
}

stat_() {
    local answer
    mc cp --attr "colour=blue;Cache-Control=no-store" small $BUCKET/cp/stat.txt
    answer=$(mc stat --json $BUCKET/cp/stat.txt)
    equal "$(printf '%s' "$answer" | json '["size"]')" 1000
    equal "$(printf '%s' "$answer" | json '["etag"]')" "$(md5sum < small | cut -c -32)"
    equal "$(printf '%s' "$answer" | json '["metadata"]["X-Amz-Meta-Colour"]')" blue
    equal "$(printf '%s' "$answer" | json '["metadata"]["Cache-Control"]')" no-store
    fails mc stat $BUCKET/cp/nothing
}

copy_inside() {
    mc cp $BUCKET/cp/parts.bin $BUCKET/cp/copy.bin
    mc cat $BUCKET/cp/copy.bin | cmp - parts
    mc mv $BUCKET/cp/copy.bin $BUCKET/moved/copy.bin
    fails mc stat $BUCKET/cp/copy.bin
    mc cat $BUCKET/moved/copy.bin | cmp - parts
}

mirror() {
    mkdir -p tree/a/b
    local n
    for n in 1 2 3 4 5; do echo "file $n" > "tree/a/b/file $n.txt"; done
    echo é > tree/é.txt
    mc mirror tree $BUCKET/tree
    mkdir tree.back
    mc mirror $BUCKET/tree tree.back
    diff -r tree tree.back
    equal "$(mc diff tree $BUCKET/tree)" ""
    rm tree/é.txt
    echo new > tree/new.txt
    mc mirror --remove --overwrite tree $BUCKET/tree
    equal "$(mc ls --recursive --json $BUCKET/tree | grep -c '"type":"file"')" 6
    fails mc stat $BUCKET/tree/é.txt
}

pipe() {
    mc pipe $BUCKET/cp/piped.bin < parts
    mc cat $BUCKET/cp/piped.bin | cmp - parts
    equal "$(mc head -n 1 $BUCKET/tree/new.txt)" new
}

find_and_du() {
    contains "$(mc find $BUCKET/tree --name 'new*')" new.txt
    contains "$(mc du --json $BUCKET/moved)" '"size":20000000'
}

tags() {
    mc tag set $BUCKET/cp/stat.txt "a=1&b=two words"
    equal "$(mc tag list --json $BUCKET/cp/stat.txt | json '["tagset"]["b"]')" "two words"
    mc tag remove $BUCKET/cp/stat.txt
    lacks "$(mc tag list --json $BUCKET/cp/stat.txt 2>&1 || true)" "two words"
}

share() {
    local url
    url=$(mc share download --json --expire 5m $BUCKET/cp/stat.txt | json '["share"]')
    curl -sSf -o shared "$url"
    same_file small shared
    equal "$(curl -s -o /dev/null -w '%{http_code}' "${url}0")" 403
}

rm_() {
    mc rm $BUCKET/cp/stat.txt
    fails mc stat $BUCKET/cp/stat.txt
    mc rm --recursive --force $BUCKET/cp/
    equal "$(mc ls --recursive $BUCKET/cp/ | grep -c bin || true)" 0
}

bucket() {
    mc mb gate/made-by-mc
    contains "$(mc ls gate)" "made-by-mc/"
    mc cp parts gate/made-by-mc/deep/parts.bin
    mc cat gate/data/made-by-mc/deep/parts.bin | cmp - parts
    contains "$(mc stat --json gate/made-by-mc)" '"made-by-mc'
    mc mb --ignore-existing gate/made-by-mc
    contains "$(mc mb --json gate/made-by-mc || true)" '"status":"error"'
    fails mc rb gate/made-by-mc
    mc rb --force gate/made-by-mc
    lacks "$(mc ls gate)" "made-by-mc"
}

wrong_secret() {
    contains "$(command mc --json alias set wrong "$CELLGATE_URL" "$CELLGATE_KEY_ID" not-the-secret --path on || true)" \
        "SignatureDoesNotMatch"
}

try "alias set, ls" alias_set
try "cp up and down, in parts" cp_up_and_down
try "ls --json" ls_json
try "stat: metadata" stat_
try "cp and mv inside" copy_inside
try "mirror" mirror
try "pipe, cat, head" pipe
try "find, du" find_and_du
try "tag" tags
try "share download" share
try "rm" rm_
try "mb, rb" bucket
try "a wrong secret" wrong_secret

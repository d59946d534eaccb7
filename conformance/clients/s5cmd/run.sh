#!/usr/bin/env bash
# s5cmd: many transfers at once, in parts of its own sizes, with batches of deletes.
CLIENT=s5cmd
. "$CLIENTS/case.sh"

export AWS_ACCESS_KEY_ID=$CELLGATE_KEY_ID AWS_SECRET_ACCESS_KEY=$CELLGATE_KEY_SECRET AWS_REGION=us-east-1
export S3_ENDPOINT_URL=$CELLGATE_URL
BUCKET=s3://io/personal-files
s5() { s5cmd --retry-count 0 "$@"; }

make_file small 1000
make_file parts 20000000

list_buckets() {
    contains "$(s5 ls)" "s3://io"
    contains "$(s5 ls s3://io/)" "DIR  personal-files/"
}

cp_up_and_down() {
    s5 cp small "$BUCKET/cp/small é +%20.bin"
    s5 cp "$BUCKET/cp/small é +%20.bin" back
    same_file small back
    s5 cp --part-size 5 --concurrency 4 parts $BUCKET/cp/parts.bin
    s5 cp --part-size 5 --concurrency 4 $BUCKET/cp/parts.bin parts.back
    same_file parts parts.back
}

cat_and_pipe() {
    s5 cat $BUCKET/cp/parts.bin | cmp - parts
    s5 pipe $BUCKET/cp/piped.bin < parts
    s5 cat $BUCKET/cp/piped.bin | cmp - parts
}

ls_json() {
    s5 --json ls "$BUCKET/cp/*" | python3 -c '
import json, sys
found = {}
for line in sys.stdin:
    entry = json.loads(line)
    found[entry["key"].rsplit("/", 1)[1]] = (entry["size"], entry.get("etag"))
etag = sys.argv[1]
assert found["small é +%20.bin"] == (1000, etag), found
assert found["parts.bin"][0] == 20000000 and found["parts.bin"][1].endswith("-4"), found
assert found["piped.bin"][0] == 20000000 and len(found) == 3, found' "$(md5sum < small | cut -c -32)"
}

# A wildcard is a listing, and many copies at once.
wildcards() {
    mkdir -p tree/a/b
    local n
    for n in $(seq 40); do echo "file $n" > "tree/a/b/file $n.txt"; done
    s5 cp tree/ $BUCKET/tree/
    s5 cp "$BUCKET/tree/*" tree.back/
    diff -r tree tree.back
    equal "$(s5 du "$BUCKET/tree/*" | cut -d ' ' -f 1)" "$(cat tree/a/b/* | wc -c)"
}

sync_() {
    equal "$(s5 sync tree/ $BUCKET/tree/)" ""
    echo "file one" > "tree/a/b/file 1.txt"
    rm "tree/a/b/file 2.txt"
    s5 sync --delete --size-only tree/ $BUCKET/tree/
    fails s5 head "$BUCKET/tree/a/b/file 2.txt"
    equal "$(s5 cat "$BUCKET/tree/a/b/file 1.txt")" "file one"
    s5 sync "$BUCKET/tree/*" synced/
    diff -r tree synced
    equal "$(s5 sync --size-only "$BUCKET/tree/*" synced/)" ""
}

copy_inside() {
    s5 cp $BUCKET/cp/parts.bin $BUCKET/cp/copy.bin
    s5 cat $BUCKET/cp/copy.bin | cmp - parts
    s5 mv $BUCKET/cp/copy.bin $BUCKET/moved/copy.bin
    fails s5 head $BUCKET/cp/copy.bin
    s5 cat $BUCKET/moved/copy.bin | cmp - parts
}

head_() {
    s5 cp --metadata colour=blue --content-type text/x-test --cache-control no-store small $BUCKET/cp/head.txt
    equal "$(s5 head $BUCKET/cp/head.txt | json '["content_type"]')" text/x-test
    equal "$(s5 head $BUCKET/cp/head.txt | json '["metadata"]["colour"]')" blue
    equal "$(s5 head $BUCKET/cp/head.txt | json '["size"]')" 1000
}

presign() {
    equal "$(curl -sSf "$(s5 presign --expire 1m "$BUCKET/cp/head.txt")" | cmp - small && echo same)" same
}

run_() {
    printf '%s\n' "cp small $BUCKET/run/1" "cp small $BUCKET/run/2" "rm $BUCKET/cp/head.txt" | s5 run
    equal "$(s5 ls "$BUCKET/run/*" | wc -l | tr -d ' ')" 2
    fails s5 head $BUCKET/cp/head.txt
}

# By DeleteObjects.
rm_() {
    s5 rm "$BUCKET/tree/*"
    # Folders stay.
    lacks "$(s5 ls "$BUCKET/tree/a/b/*" 2>&1)" .txt
    s5 rm $BUCKET/cp/parts.bin $BUCKET/cp/piped.bin
    fails s5 head $BUCKET/cp/parts.bin
}

bucket() {
    s5 mb s3://made-by-s5cmd
    contains "$(s5 ls)" "s3://made-by-s5cmd"
    s5 cp parts s3://made-by-s5cmd/deep/parts.bin
    s5 cat s3://io/made-by-s5cmd/deep/parts.bin | cmp - parts
    contains "$(s5 mb s3://made-by-s5cmd 2>&1 || true)" BucketAlreadyOwnedByYou
    contains "$(s5 rb s3://made-by-s5cmd 2>&1 || true)" BucketNotEmpty
    s5 rm "s3://made-by-s5cmd/*"
    # Folders are what is left of the keys below them.
    s5 rb s3://made-by-s5cmd
    lacks "$(s5 ls)" made-by-s5cmd
}

wrong_secret() {
    contains "$(AWS_SECRET_ACCESS_KEY=wrong s5 ls s3://io/ 2>&1 || true)" SignatureDoesNotMatch
}

try "ls of buckets and workspaces" list_buckets
try "cp up and down, in parts" cp_up_and_down
try "cat, pipe" cat_and_pipe
try "ls --json" ls_json
try "cp of wildcards, du" wildcards
try "sync" sync_
try "cp and mv inside" copy_inside
try "head: metadata" head_
try "presign" presign
try "run" run_
try "rm" rm_
try "mb, rb" bucket
try "a wrong secret" wrong_secret

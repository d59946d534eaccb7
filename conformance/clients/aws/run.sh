#!/usr/bin/env bash
# The aws command line: single and multipart transfers, listings, sync, presigned links.
CLIENT=aws
. "$CLIENTS/case.sh"

export AWS_ACCESS_KEY_ID=$CELLGATE_KEY_ID AWS_SECRET_ACCESS_KEY=$CELLGATE_KEY_SECRET
export AWS_DEFAULT_REGION=us-east-1 AWS_PAGER= AWS_EC2_METADATA_DISABLED=true
BUCKET=s3://io/personal-files
s3() { aws --endpoint-url "$CELLGATE_URL" s3 "$@"; }
s3api() { aws --endpoint-url "$CELLGATE_URL" --output json s3api "$@"; }

make_file small 1000
# Above the 8 MiB from which aws uploads in parts.
make_file parts 20000000

list_buckets() {
    contains "$(s3 ls)" " io"
    contains "$(s3 ls s3://io/)" "PRE personal-files/"
}

cp_up_and_down() {
    s3 cp --no-progress small "$BUCKET/cp/small é +%20.bin"
    s3 cp --no-progress "$BUCKET/cp/small é +%20.bin" back
    same_file small back
}

cp_multipart() {
    s3 cp --no-progress parts $BUCKET/cp/parts.bin
    contains "$(s3api head-object --bucket io --key personal-files/cp/parts.bin | json '["ETag"]')" "-3"
    s3 cp --no-progress $BUCKET/cp/parts.bin parts.back
    same_file parts parts.back
}

cp_stream() {
    s3 cp --no-progress - $BUCKET/cp/piped.txt < small
    s3 cp --no-progress $BUCKET/cp/piped.txt - | cmp - small
}

cp_inside() {
    s3 cp --no-progress $BUCKET/cp/parts.bin $BUCKET/cp/copy.bin
    s3 cp --no-progress $BUCKET/cp/copy.bin copy.back
    same_file parts copy.back
}

ls_all() {
    local listing
    listing=$(s3 ls --recursive $BUCKET/cp/)
    contains "$listing" "20000000 personal-files/cp/parts.bin"
    contains "$listing" "1000 personal-files/cp/small é +%20.bin"
    contains "$(s3 ls --summarize --recursive $BUCKET/cp/)" "Total Objects: 3"
}

mv_object() {
    s3 mv --no-progress $BUCKET/cp/copy.bin $BUCKET/moved/copy.bin
    fails s3 ls $BUCKET/cp/copy.bin
    s3 cp --no-progress $BUCKET/moved/copy.bin moved.back
    same_file parts moved.back
}

sync_up_and_down() {
    mkdir -p tree/a/b
    local n
    for n in 1 2 3 4 5 6 7 8; do echo "file $n" > "tree/a/b/file $n.txt"; done
    echo é > "tree/a/é.txt"
    s3 sync --no-progress tree $BUCKET/sync
    s3 sync --no-progress $BUCKET/sync tree.back
    diff -r tree tree.back
    # Nothing is left to do.
    equal "$(s3 sync --no-progress tree $BUCKET/sync)" ""
    rm tree/a/é.txt
    contains "$(s3 sync --no-progress --delete tree $BUCKET/sync)" "delete:"
    lacks "$(s3 ls --recursive $BUCKET/sync/)" "é.txt"
}

presign() {
    curl -sSf -o presigned "$(s3 presign $BUCKET/cp/parts.bin --expires-in 60)"
    same_file parts presigned
    equal "$(curl -s -o /dev/null -w '%{http_code}' "$(s3 presign $BUCKET/cp/parts.bin)x")" 403
}

rm_objects() {
    s3 rm $BUCKET/cp/piped.txt
    fails s3 ls $BUCKET/cp/piped.txt
    s3 rm --recursive $BUCKET/sync
    equal "$(s3 ls --recursive $BUCKET/sync/ | grep -c txt || true)" 0
}

paging() {
    local keys
    keys=$(s3api list-objects-v2 --bucket io --prefix personal-files/cp/ --page-size 1 | json '["Contents"]')
    contains "$keys" "parts.bin"
    contains "$keys" "small"
}

wrong_secret() {
    local said
    said=$(AWS_SECRET_ACCESS_KEY=wrong s3 ls s3://io/ 2>&1) && return 1
    contains "$said" SignatureDoesNotMatch
}

try "ls of buckets and workspaces" list_buckets
try "cp up and down" cp_up_and_down
try "cp in parts" cp_multipart
try "cp from and to a pipe" cp_stream
try "cp inside, in parts" cp_inside
try "mv" mv_object
try "ls" ls_all
try "list-objects-v2, page by page" paging
try "sync" sync_up_and_down
try "presign" presign
try "rm" rm_objects
try "a wrong secret" wrong_secret

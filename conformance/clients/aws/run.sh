#!/usr/bin/env bash
# The aws command line: single and multipart transfers, listings, sync, presigned links, and the
# calls of `s3api`, with both settings of its checksums.
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
    # Nothing is left to do, in either direction.
    equal "$(s3 sync --no-progress tree $BUCKET/sync)" ""
    equal "$(s3 sync --no-progress $BUCKET/sync tree.back)" ""
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

presign_expired() {
    local url
    url=$(s3 presign $BUCKET/cp/parts.bin --expires-in 1)
    sleep 2.1
    contains "$(curl -s "$url")" "<Code>AccessDenied</Code>"
}

# A call of s3api that must fail with this code.
refused() {
    local code=$1 said
    shift
    said=$(s3api "$@" 2>&1) && { echo "expected $code, it went well: $*"; return 1; }
    contains "$said" "($code)"
}

IO="--bucket io --key personal-files"

head_object() {
    local answer key
    s3api put-object $IO/api/head.txt --body small --content-type text/x-test --cache-control no-store \
        --content-disposition "attachment; filename*=UTF-8''%C3%A9.txt" --content-language de \
        --content-encoding identity --metadata colour=blue,size=big > /dev/null
    answer=$(s3api head-object $IO/api/head.txt)
    equal "$(printf '%s' "$answer" | json '["ContentLength"]')" 1000
    equal "$(printf '%s' "$answer" | json '["ETag"]')" "\"$(md5sum < small | cut -c -32)\""
    equal "$(printf '%s' "$answer" | json '["ContentType"]')" text/x-test
    equal "$(printf '%s' "$answer" | json '["CacheControl"]')" no-store
    equal "$(printf '%s' "$answer" | json '["ContentLanguage"]')" de
    equal "$(printf '%s' "$answer" | json '["Metadata"]["colour"]')" blue
    equal "$(printf '%s' "$answer" | json '["Metadata"]["size"]')" big
    contains "$(printf '%s' "$answer" | json '["ContentDisposition"]')" attachment
    # Not older than this script, not from the future.
    printf '%s' "$answer" | json '["LastModified"]' | python3 -c '
import datetime, email.utils, sys
age = datetime.datetime.now(datetime.timezone.utc) - email.utils.parsedate_to_datetime(sys.stdin.read().strip())
assert -2 < age.total_seconds() < 120, age'
    refused 404 head-object $IO/api/nothing
    for key in io/personal-files/api/nothing personal-files/api/nothing; do
        refused NoSuchKey get-object --bucket "${key%%/*}" --key "${key#*/}" never
    done
}

get_object_range() {
    s3api get-object $IO/cp/parts.bin --range bytes=8388600-8388700 range.back > /dev/null
    head -c 8388701 parts | tail -c 101 | cmp - range.back
    refused InvalidRange get-object $IO/api/head.txt --range bytes=1000- never
    refused 304 get-object $IO/api/head.txt --if-none-match "\"$(md5sum < small | cut -c -32)\"" never
}

attributes() {
    local answer
    answer=$(s3api get-object-attributes $IO/cp/parts.bin --object-attributes ETag ObjectSize ObjectParts StorageClass)
    equal "$(printf '%s' "$answer" | json '["ObjectSize"]')" 20000000
    equal "$(printf '%s' "$answer" | json '["ObjectParts"]["TotalPartsCount"]')" 3
    # Without the quotes that a header has around it.
    contains "$(printf '%s' "$answer" | json '["ETag"]')" "-3"
    lacks "$(printf '%s' "$answer" | json '["ETag"]')" '"'
    equal "$(s3api get-object-attributes $IO/api/head.txt --object-attributes ObjectSize | json '["ObjectSize"]')" 1000
    refused NoSuchKey get-object-attributes $IO/api/nothing --object-attributes ETag
}

tagging() {
    s3api put-object-tagging $IO/api/head.txt --tagging '{"TagSet":[{"Key":"a b","Value":"é"},{"Key":"n","Value":""}]}'
    equal "$(s3api get-object-tagging $IO/api/head.txt | python3 -c 'import json, sys
print(sorted((tag["Key"], tag["Value"]) for tag in json.load(sys.stdin)["TagSet"]))')" "[('a b', 'é'), ('n', '')]"
    s3api delete-object-tagging $IO/api/head.txt
    equal "$(s3api get-object-tagging $IO/api/head.txt | json '["TagSet"]')" "[]"
    s3api get-object $IO/api/head.txt tagged.back > /dev/null
    same_file small tagged.back
}

versions() {
    local answer
    s3api put-object $IO/api/versions.txt --body small > /dev/null
    answer=$(s3api list-object-versions --bucket io --prefix personal-files/api/versions.txt)
    equal "$(printf '%s' "$answer" | json '["Versions"][0]["Key"]')" personal-files/api/versions.txt
    equal "$(printf '%s' "$answer" | json '["Versions"][0]["IsLatest"]')" true
    equal "$(printf '%s' "$answer" | json '["Versions"][0]["Size"]')" 1000
    lacks "$answer" DeleteMarkers
    s3api get-object $IO/api/versions.txt --version-id "$(printf '%s' "$answer" | json '["Versions"][0]["VersionId"]')" \
        version.back > /dev/null
    same_file small version.back
    refused NoSuchVersion get-object $IO/api/versions.txt --version-id 00000000-0000-0000-0000-000000000000 never
}

copy_object() {
    local answer
    s3api copy-object $IO/api/copied.txt --copy-source io/personal-files/api/head.txt > /dev/null
    answer=$(s3api head-object $IO/api/copied.txt)
    equal "$(printf '%s' "$answer" | json '["Metadata"]["colour"]')" blue
    s3api copy-object $IO/api/copied.txt --copy-source io/personal-files/api/copied.txt \
        --metadata-directive REPLACE --metadata colour=red --content-type text/x-other > /dev/null
    answer=$(s3api head-object $IO/api/copied.txt)
    equal "$(printf '%s' "$answer" | json '["Metadata"]')" '{"colour": "red"}'
    equal "$(printf '%s' "$answer" | json '["ContentType"]')" text/x-other
    s3api get-object $IO/api/copied.txt copied.back > /dev/null
    same_file small copied.back
    # A copy to itself that changes nothing is refused by Amazon too.
    refused InvalidRequest copy-object $IO/api/copied.txt --copy-source io/personal-files/api/copied.txt
    refused NoSuchKey copy-object $IO/api/none --copy-source io/personal-files/api/nothing
}

delete_objects() {
    local answer
    s3api put-object $IO/api/one --body small > /dev/null
    s3api put-object $IO/api/two --body small > /dev/null
    answer=$(s3api delete-objects --bucket io --delete \
        '{"Objects":[{"Key":"personal-files/api/one"},{"Key":"personal-files/api/two"},{"Key":"personal-files/api/never"}]}')
    equal "$(printf '%s' "$answer" | python3 -c 'import json, sys
answer = json.load(sys.stdin)
print(len(answer["Deleted"]), "Errors" in answer)')" "3 False"
    refused 404 head-object $IO/api/one
}

# The value that is kept is that of zlib, hashlib.
checksums() {
    local algorithm answer
    for algorithm in CRC32 SHA1 SHA256; do
        s3api put-object $IO/api/checked --body small --checksum-algorithm $algorithm > /dev/null
        answer=$(s3api head-object $IO/api/checked --checksum-mode ENABLED)
        equal "$(printf '%s' "$answer" | json "[\"Checksum$algorithm\"]")" "$(python3 -c 'import base64, hashlib, sys, zlib
data = open("small", "rb").read()
digest = {"CRC32": lambda: zlib.crc32(data).to_bytes(4, "big"), "SHA1": lambda: hashlib.sha1(data).digest(),
          "SHA256": lambda: hashlib.sha256(data).digest()}[sys.argv[1]]()
print(base64.b64encode(digest).decode())' $algorithm)"
    done
    refused BadDigest put-object $IO/api/checked --body parts --checksum-sha256 "$(printf '%s' "$answer" | json '["ChecksumSHA256"]')"
    s3api get-object $IO/api/checked checked.back > /dev/null
    same_file small checked.back
}

# Before 2025 no checksum was sent unless the call asked for one, and settings still ask for that.
when_required() {
    local AWS_REQUEST_CHECKSUM_CALCULATION=when_required AWS_RESPONSE_CHECKSUM_VALIDATION=when_required
    export AWS_REQUEST_CHECKSUM_CALCULATION AWS_RESPONSE_CHECKSUM_VALIDATION
    s3 cp --no-progress small $BUCKET/required/small
    s3 cp --no-progress parts $BUCKET/required/parts
    s3 cp --no-progress $BUCKET/required/small required.small
    s3 cp --no-progress $BUCKET/required/parts required.parts
    same_file small required.small
    same_file parts required.parts
    # Amazon computes this one where the client sent none.
    local head
    head=$(s3api head-object $IO/required/small --checksum-mode ENABLED)
    contains "$head" '"ChecksumCRC64NVME"'
    lacks "$head" '"ChecksumCRC32"'
    s3api delete-objects --bucket io --delete '{"Objects":[{"Key":"personal-files/required/small"}]}' > /dev/null
    s3 rm --recursive $BUCKET/required
}

buckets() {
    local listed
    listed=$(s3api list-buckets | json '["Buckets"]')
    contains "$listed" '"Name": "io"'
    contains "$listed" '"Name": "data"'
    contains "$listed" '"Name": "personal-files"'
    s3api head-bucket --bucket personal-files > /dev/null
    s3api get-bucket-location --bucket personal-files > /dev/null
    # The same objects by another address.
    s3 cp --no-progress s3://personal-files/api/head.txt bucket.back
    same_file small bucket.back
    contains "$(s3 ls s3://data/personal-files/api/)" head.txt
    contains "$(s3 ls s3://personal-files)" "PRE api/"
    refused 404 head-bucket --bucket no-such-bucket
    refused NoSuchBucket list-objects-v2 --bucket no-such-bucket
}

create_and_delete_bucket() {
    s3 mb s3://made-by-aws
    contains "$(s3api list-buckets | json '["Buckets"]')" '"Name": "made-by-aws"'
    s3 cp --no-progress parts s3://made-by-aws/deep/parts.bin
    s3 sync --no-progress tree s3://made-by-aws/tree
    # The core sees a workspace.
    s3 cp --no-progress s3://io/made-by-aws/deep/parts.bin made.back
    same_file parts made.back
    refused BucketAlreadyOwnedByYou create-bucket --bucket made-by-aws --create-bucket-configuration LocationConstraint=eu-west-1
    refused BucketNotEmpty delete-bucket --bucket made-by-aws
    s3 rb --force s3://made-by-aws
    refused 404 head-bucket --bucket made-by-aws
    s3api create-bucket --bucket made-by-aws > /dev/null
    equal "$(s3 ls s3://made-by-aws)" ""
    s3api delete-bucket --bucket made-by-aws
    refused NoSuchBucket delete-bucket --bucket made-by-aws
    refused InvalidBucketName create-bucket --bucket 'Not_A.Name'
}

mv_recursive() {
    s3 mv --no-progress --recursive $BUCKET/moved $BUCKET/again
    s3 mv --no-progress $BUCKET/again/copy.bin fetched
    same_file parts fetched
    fails s3 ls $BUCKET/again/copy.bin
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
try "presign: expired" presign_expired
try "mv: a folder, and down" mv_recursive
try "head-object" head_object
try "get-object: a range, a condition" get_object_range
try "copy-object" copy_object
try "delete-objects" delete_objects
try "get-object-attributes" attributes
try "put-object-tagging" tagging
try "list-object-versions" versions
try "checksums" checksums
try "checksums when_required" when_required
try "list-buckets, workspaces as buckets" buckets
try "mb, rb, create-bucket, delete-bucket" create_and_delete_bucket
try "rm" rm_objects
try "a wrong secret" wrong_secret

#!/usr/bin/env bash
# s3cmd: compares the ETag with its own MD5 after each PUT, keeps its attributes in metadata.
CLIENT=s3cmd
. "$CLIENTS/case.sh"

HOST=${CELLGATE_URL#http://}
cat > s3cfg <<END
[default]
access_key = $CELLGATE_KEY_ID
secret_key = $CELLGATE_KEY_SECRET
host_base = $HOST
host_bucket = $HOST
use_https = False
signature_v2 = False
multipart_chunk_size_mb = 5
END
BUCKET=s3://io/personal-files
s3() { s3cmd -c s3cfg --no-progress "$@"; }

make_file small 1000
make_file parts 12000000

list_buckets() {
    contains "$(s3 ls)" "s3://io"
    contains "$(s3 ls s3://io)" "s3://io/personal-files/"
}

put_and_get() {
    s3 put small "$BUCKET/é +%20.bin"
    s3 get --force "$BUCKET/é +%20.bin" back
    same_file small back
}

put_in_parts() {
    s3 put parts $BUCKET/parts.bin
    s3 get --force $BUCKET/parts.bin parts.back
    same_file parts parts.back
}

ls_objects() {
    contains "$(s3 ls $BUCKET/)" "12000000  s3://io/personal-files/parts.bin"
    contains "$(s3 ls "$BUCKET/é")" "s3://io/personal-files/é +%20.bin"
    contains "$(s3 la)" "DIR  s3://io/personal-files/"
}

info() {
    local shown
    shown=$(s3 info $BUCKET/parts.bin)
    contains "$shown" "File size: 12000000"
    contains "$shown" "MD5 sum:"
}

cp_and_mv() {
    s3 cp $BUCKET/parts.bin $BUCKET/copy.bin
    s3 mv $BUCKET/copy.bin $BUCKET/sub/moved.bin
    lacks "$(s3 ls $BUCKET/)" "copy.bin"
    s3 get --force $BUCKET/sub/moved.bin moved.back
    same_file parts moved.back
}

sync_tree() {
    mkdir -p tree/sub
    echo one > tree/one.txt
    echo two > "tree/sub/two é.txt"
    s3 sync tree/ $BUCKET/tree/
    mkdir back.tree
    s3 sync $BUCKET/tree/ back.tree/
    diff -r tree back.tree
    lacks "$(s3 sync tree/ $BUCKET/tree/)" "upload:"
}

signature_v2() {
    s3cmd -c s3cfg --no-progress --signature-v2 put small $BUCKET/v2.bin
    s3cmd -c s3cfg --no-progress --signature-v2 get --force $BUCKET/v2.bin v2.back
    same_file small v2.back
}

del() {
    s3 del $BUCKET/parts.bin
    lacks "$(s3 ls $BUCKET/)" "parts.bin"
    s3 del --recursive --force $BUCKET/tree/
    lacks "$(s3 ls --recursive $BUCKET/)" "one.txt"
}

metadata() {
    local shown
    s3 put --mime-type=text/x-test --add-header=x-amz-meta-colour:blue --add-header=Cache-Control:no-store \
        small $BUCKET/meta.txt
    shown=$(s3 info $BUCKET/meta.txt)
    contains "$shown" "MIME type: text/x-test"
    contains "$shown" "MD5 sum:   $(md5sum < small | cut -c -32)"
    contains "$shown" "x-amz-meta-colour: blue"
    # Its own attributes: the time that the file had.
    touch -d '2019-05-06 07:08:09 UTC' small
    s3 put small $BUCKET/times/small
    mkdir times.back
    s3 sync $BUCKET/times/ times.back/
    equal "$(stat -c %Y times.back/small)" "$(stat -c %Y small)"
    s3 modify --add-header=x-amz-meta-colour:red $BUCKET/meta.txt
    contains "$(s3 info $BUCKET/meta.txt)" "x-amz-meta-colour: red"
    s3 get --force $BUCKET/meta.txt meta.back
    same_file small meta.back
}

signed_url() {
    curl -sSf -o signed "$(s3 signurl $BUCKET/meta.txt +60)"
    same_file small signed
    equal "$(curl -s -o /dev/null -w '%{http_code}' "$(s3 signurl $BUCKET/meta.txt +60)x")" 403
}

sync_delete() {
    rm tree/one.txt
    s3 sync --delete-removed tree/ $BUCKET/tree/
    lacks "$(s3 ls --recursive $BUCKET/tree/)" one.txt
    contains "$(s3 du $BUCKET/tree/)" "4 "
}

multipart_left() {
    contains "$(s3 multipart s3://io)" "s3://io"
    lacks "$(s3 multipart s3://io)" parts.bin
}

bucket() {
    s3 mb s3://made-by-s3cmd
    contains "$(s3 ls)" "s3://made-by-s3cmd"
    s3 put parts s3://made-by-s3cmd/deep/parts.bin
    s3 get --force s3://io/made-by-s3cmd/deep/parts.bin made.back
    same_file parts made.back
    contains "$(s3 info s3://made-by-s3cmd)" "Location:"
    contains "$(s3 rb s3://made-by-s3cmd 2>&1 || true)" BucketNotEmpty
    s3 rb --recursive --force s3://made-by-s3cmd
    lacks "$(s3 ls)" made-by-s3cmd
}

wrong_secret() {
    sed 's/^secret_key.*/secret_key = wrong/' s3cfg > wrong.cfg
    contains "$(s3cmd -c wrong.cfg ls s3://io 2>&1 || true)" SignatureDoesNotMatch
}

try "ls of buckets and workspaces" list_buckets
try "put and get" put_and_get
try "put in parts" put_in_parts
try "ls, la" ls_objects
try "info" info
try "cp and mv" cp_and_mv
try "sync" sync_tree
try "sync --delete-removed" sync_delete
try "signature V2" signature_v2
try "metadata, times" metadata
try "signurl" signed_url
try "multipart: nothing is left" multipart_left
try "mb, rb" bucket
try "a wrong secret" wrong_secret
try "del" del

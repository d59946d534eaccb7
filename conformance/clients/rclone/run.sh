#!/usr/bin/env bash
# rclone over three of its back ends, and from one to another. An argument names the only back end.
CLIENT=rclone
ONLY=${1-}
. "$CLIENTS/case.sh"

# rclone does not start with it.
unset AWS_CA_BUNDLE
export RCLONE_CONFIG=$WORK/rclone.conf
PASS=$(rclone obscure "$CELLGATE_PASSWORD")
cat > "$RCLONE_CONFIG" <<END
[dav]
type = webdav
url = $CELLGATE_URL/dav
vendor = other
user = $CELLGATE_USER
pass = $PASS

[s3]
type = s3
provider = Other
access_key_id = $CELLGATE_KEY_ID
secret_access_key = $CELLGATE_KEY_SECRET
endpoint = $CELLGATE_URL
region = us-east-1

[s3v2]
type = s3
provider = Other
access_key_id = $CELLGATE_KEY_ID
secret_access_key = $CELLGATE_KEY_SECRET
endpoint = $CELLGATE_URL
region = other-v2-signature
v2_auth = true

[seafile]
type = seafile
url = $CELLGATE_URL
user = $CELLGATE_USER
pass = $PASS
library = Personal Files
END
rclone() { command rclone --retries 1 --low-level-retries 2 "$@"; }

mkdir -p tree/sub/deep
make_file tree/small.bin 1000
make_file "tree/sub/é + %20.bin" 70000
make_file tree/sub/deep/large.bin 12000000
echo text > "tree/sub/a b.txt"

copy_and_check() {
    rclone copy tree "$1"
    rclone check --download tree "$1"
}

# Nothing is to be done a second time.
copy_again() {
    local said
    said=$(rclone copy -v "$2" tree "$1" 2>&1)
    lacks "$said" "Copied ("
}

list() {
    equal "$(rclone lsf -R --files-only "$1" | sort)" \
        "$(cd tree && find . -type f | sed 's,^\./,,' | sort)"
    contains "$(rclone lsf "$1")" "sub/"
    equal "$(rclone size --json "$1" | json '["count"]')" 4
    equal "$(rclone size --json "$1" | json '["bytes"]')" 12071005
}

move() {
    rclone moveto "$1/small.bin" "$1/moved/renamed é.bin"
    rclone lsf "$1" | { ! grep -q small.bin; }
    rclone cat "$1/moved/renamed é.bin" | cmp - tree/small.bin
    rclone moveto "$1/moved" "$1/moved again"
    rclone cat "$1/moved again/renamed é.bin" | cmp - tree/small.bin
}

copy_inside() {
    rclone copyto "$1/sub/a b.txt" "$1/copy.txt"
    equal "$(rclone cat "$1/copy.txt")" text
    equal "$(rclone cat "$1/sub/a b.txt")" text
}

overwrite() {
    echo other | rclone rcat "$1/copy.txt"
    equal "$(rclone cat "$1/copy.txt")" other
}

ranges() {
    rclone cat --offset 1000000 --count 5000 "$1/sub/deep/large.bin" |
        cmp - <(tail -c +1000001 tree/sub/deep/large.bin | head -c 5000)
}

folders() {
    rclone mkdir "$1/empty folder"
    contains "$(rclone lsf "$1")" "empty folder/"
    rclone rmdir "$1/empty folder"
    lacks "$(rclone lsf "$1")" "empty folder/"
}

purge() {
    rclone deletefile "$1/copy.txt"
    lacks "$(rclone lsf "$1")" "copy.txt"
    rclone purge "$1"
    # S3 has no folders to purge, so that they stay here; a folder that is gone is an error elsewhere.
    equal "$(rclone lsf -R --files-only "$1" 2> /dev/null || true)" ""
    [ "$2" = s3 ] || equal "$(rclone lsf "$1" 2> /dev/null || true)" ""
}

each() {
    local name=$1 remote=$2
    [ -z "$ONLY" ] || [ "$ONLY" = "$name" ] || return 0
    try "$name: copy and check" copy_and_check "$remote"
    try "$name: copy again" copy_again "$remote" "$3"
    try "$name: lsf, size" list "$remote"
    try "$name: cat of a range" ranges "$remote"
    try "$name: copyto" copy_inside "$remote"
    try "$name: rcat over a file" overwrite "$remote"
    try "$name: moveto" move "$remote"
    if [ "$name" = s3 ]; then
        skip "$name: mkdir, rmdir" "rclone makes no folders in S3"
    else
        try "$name: mkdir, rmdir" folders "$remote"
    fi
    try "$name: deletefile, purge" purge "$remote" "$name"
}

# WebDAV and Seafile keep no modification time from rclone: sizes decide.
each webdav dav:personal-files/rclone-dav --size-only
each s3 s3:io/personal-files/rclone-s3 --checksum
each seafile seafile:rclone-seafile --size-only

# S3 keeps the time that a file had, in metadata.
modification_times() {
    touch -d '2019-05-06 07:08:09.123456789 UTC' tree/small.bin
    rclone copy tree/small.bin s3:io/personal-files/times
    contains "$(rclone lsjson s3:io/personal-files/times)" '2019-05-06T07:08:09.123456789Z'
    rclone copy s3:io/personal-files/times times.back
    equal "$(stat -c %Y times.back/small.bin)" "$(stat -c %Y tree/small.bin)"
    # A time alone is set by a copy of the object to itself.
    rclone touch --timestamp 2020-01-02T03:04:05 s3:io/personal-files/times/small.bin
    contains "$(rclone lsjson s3:io/personal-files/times)" '2020-01-02T03:04:05'
    rclone cat s3:io/personal-files/times/small.bin | cmp - tree/small.bin
}

# Without --checksum it is size and time that decide.
sync_by_time() {
    rclone sync tree s3:io/personal-files/synced
    lacks "$(rclone sync -v tree s3:io/personal-files/synced 2>&1)" "Copied ("
    rm tree/small.bin
    rclone sync tree s3:io/personal-files/synced
    rclone check --download tree s3:io/personal-files/synced
    lacks "$(rclone lsf s3:io/personal-files/synced)" small.bin
    rclone sync s3:io/personal-files/synced synced.back
    diff -r tree synced.back
}

# Above the cutoff in parts, both of an upload and of a copy inside.
in_parts() {
    local options=(--s3-upload-cutoff 5M --s3-chunk-size 5M --s3-copy-cutoff 5M)
    rclone copyto "${options[@]}" tree/sub/deep/large.bin s3:io/personal-files/parts/large.bin
    rclone copyto "${options[@]}" s3:io/personal-files/parts/large.bin s3:io/personal-files/parts/copy.bin
    rclone moveto "${options[@]}" s3:io/personal-files/parts/copy.bin s3:io/personal-files/parts/moved.bin
    rclone cat s3:io/personal-files/parts/moved.bin | cmp - tree/sub/deep/large.bin
    lacks "$(rclone lsf s3:io/personal-files/parts)" copy.bin
    contains "$(rclone hashsum md5 s3:io/personal-files/parts/large.bin)" "$(md5sum < tree/sub/deep/large.bin | cut -c -32)"
}

signature_v2() {
    rclone copy tree s3v2:io/personal-files/v2
    rclone check --download tree s3v2:io/personal-files/v2
    rclone deletefile "s3v2:io/personal-files/v2/sub/a b.txt"
    lacks "$(rclone lsf -R s3v2:io/personal-files/v2)" "a b.txt"
}

link() {
    rclone copyto "tree/sub/é + %20.bin" "s3:io/personal-files/link/é + %20.bin"
    curl -sSf "$(rclone link --expire 1m "s3:io/personal-files/link/é + %20.bin")" | cmp - "tree/sub/é + %20.bin"
}

bucket() {
    rclone mkdir s3:made-by-rclone
    contains "$(rclone lsd s3:)" made-by-rclone
    contains "$(rclone lsd s3:)" data
    rclone copy tree s3:made-by-rclone/tree
    rclone check --download s3:made-by-rclone/tree s3:io/made-by-rclone/tree
    # Without no_check_bucket a bucket is asked for again before the first upload.
    rclone copy tree/sub s3:made-by-rclone/again
    fails rclone rmdir s3:made-by-rclone
    rclone purge s3:made-by-rclone
    lacks "$(rclone lsd s3:)" made-by-rclone
}

s3_alone() {
    [ -z "$ONLY" ] || [ "$ONLY" = s3 ] || return 0
    try "s3: times are kept" modification_times
    try "s3: sync by size and time" sync_by_time
    try "s3: in parts, up and inside" in_parts
    try "s3: signature V2" signature_v2
    try "s3: link" link
    try "s3: mkdir, purge of a bucket" bucket
}
s3_alone

from_one_to_another() {
    rclone copy tree seafile:across
    rclone check --download seafile:across dav:personal-files/across
    rclone check --download seafile:across s3:io/personal-files/across
    rclone copy s3:io/personal-files/across dav:personal-files/again
    rclone check --download tree seafile:again
}
[ -n "$ONLY" ] || try "across: by seafile, seen by webdav and s3" from_one_to_another

#!/usr/bin/env bash
# cadaver, fed with commands: files, folders, locks, properties.
CLIENT=cadaver
. "$CLIENTS/case.sh"

HOST=${CELLGATE_URL#http://}
# The password has blanks; curl and cadaver both take a netrc with quotes only sometimes, so the key
# is used, which is good for Basic too.
cat > .netrc <<END
machine ${HOST%:*}
login $CELLGATE_KEY_ID
password $CELLGATE_KEY_SECRET
END
chmod 600 .netrc

# The commands of standard input, the session's text as output.
session() {
    timeout 60 cadaver "$CELLGATE_URL/dav/personal-files/${1:-}" 2>&1
}

make_file local.bin 50000

put_and_get() {
    local said
    rm -f back.bin
    said=$(printf '%s\n' "mkcol folder" "cd folder" "put local.bin" "ls" "get local.bin back.bin" quit | session)
    contains "$said" "Uploading local.bin"
    contains "$said" "succeeded."
    lacks "$said" "failed"
    contains "$said" "50000"
    same_file local.bin back.bin
}

copy_and_move() {
    local said
    rm -f back.bin
    said=$(printf '%s\n' "copy local.bin copied.bin" "move copied.bin moved.bin" "ls" \
        "get moved.bin back.bin" quit | session folder/)
    lacks "$said" "failed"
    contains "$said" "moved.bin"
    same_file local.bin back.bin
    lacks "$(printf '%s\n' ls quit | session folder/)" "copied.bin"
}

lock_and_unlock() {
    local said
    said=$(printf '%s\n' "lock local.bin" "discover local.bin" "put local.bin local.bin" "unlock local.bin" \
        "discover local.bin" quit | session folder/)
    contains "$said" "Lock token"
    contains "$said" "Scope: exclusive"
    lacks "$said" "failed"
    contains "$said" "no locks found"
}

# Another session has no token.
locked_for_others() {
    contains "$(printf '%s\n' "lock local.bin" quit | session folder/)" "succeeded."
    contains "$(printf '%s\n' "put local.bin local.bin" quit | session folder/)" "423"
    contains "$(printf '%s\n' "delete local.bin" quit | session folder/)" "423"
    # cadaver leaves without unlocking; another session asks for the token and takes it over.
    printf '%s\n' "steal local.bin" "unlock local.bin" quit | session folder/
    lacks "$(printf '%s\n' "put local.bin local.bin" quit | session folder/)" "failed"
}

properties() {
    local said
    said=$(printf '%s\n' "propset local.bin colour blue" "propget local.bin colour" "propnames local.bin" quit |
        session folder/)
    contains "$said" "blue"
    contains "$said" "getetag"
}

delete() {
    local said
    said=$(printf '%s\n' "delete folder/moved.bin" "ls folder" "delete folder/local.bin" "rmcol folder" ls quit | session)
    lacks "$said" "failed"
    lacks "$(printf '%s\n' ls quit | session)" "folder"
}

try "mkcol, put, ls, get" put_and_get
try "copy, move" copy_and_move
try "lock, discover, unlock" lock_and_unlock
try "locked for another session, steal" locked_for_others
try "propset, propget, propnames" properties
try "delete, rmcol" delete

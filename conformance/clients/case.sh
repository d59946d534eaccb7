# For the scripts of clients: cases, and checks in them. Sourced by bash.
#
#   CLIENT=aws
#   . "$CLIENTS/case.sh"
#   try "cp up and down" up_and_down      # runs a function, prints a JSON line

set -u

# A function is a case: it fails with the first command that fails, and shows what that printed.
try() {
    local name=$1 start end output status
    shift
    start=$(date +%s%3N)
    output=$(set -e; set -o pipefail; "$@" 2>&1)
    status=$?
    end=$(date +%s%3N)
    if [ $status -eq 0 ]; then
        report "$name" pass $((end - start)) ""
    else
        report "$name" fail $((end - start)) "exit $status: $(printf '%s' "$output" | tail -n 12)"
    fi
}

skip() {
    report "$1" skip 0 "$2"
}

report() {
    python3 -c 'import json, sys
client, case, status, ms, detail = sys.argv[1:]
print(json.dumps({"client": client, "case": case, "status": status, "ms": int(ms), "detail": detail}))' \
        "$CLIENT" "$1" "$2" "$3" "$4"
}

# Checks. Each says what it found instead.

same_file() {
    cmp "$1" "$2"
}

equal() {
    [ "$1" = "$2" ] || { echo "expected <$2>, found <$1>"; return 1; }
}

contains() {
    case $1 in
        *"$2"*) ;;
        *) echo "expected <$2> in <$1>"; return 1 ;;
    esac
}

lacks() {
    case $1 in
        *"$2"*) echo "did not expect <$2> in <$1>"; return 1 ;;
    esac
}

# Succeeds when the command fails.
fails() {
    if "$@"; then
        echo "expected this to fail: $*"
        return 1
    fi
}

# A file of so many bytes that differ everywhere.
make_file() {
    head -c "$2" /dev/urandom > "$1"
}

# A value of the JSON on standard input: json '["Nodes"][0]["Path"]'
json() {
    python3 -c "import json, sys; value = json.load(sys.stdin)$1
print(json.dumps(value) if isinstance(value, (dict, list, bool)) else value)"
}

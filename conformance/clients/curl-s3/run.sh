#!/usr/bin/env bash
# S3 by curl alone: its own signer, signatures made by hand as scripts of Pydio Cells make them, tokens,
# forms, and what nobody signed.
CLIENT=curl-s3
. "$CLIENTS/case.sh"

IO=$CELLGATE_URL/io/personal-files
make_file small 1000
make_file large 3000000

# A token of the front session, as these scripts get one.
TOKEN=$(curl -sSf -H 'Content-Type: application/json' "$CELLGATE_URL/a/frontend/session" -d "$(python3 -c '
import json, sys
print(json.dumps({"AuthInfo": {"type": "credentials", "login": sys.argv[1], "password": sys.argv[2]}}))' \
    "$CELLGATE_USER" "$CELLGATE_PASSWORD")" | json '["JWT"]')

# curl 7 signs uploads as if they were empty, unless it is told what to sign.
UNSIGNED=(-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD')
v4() { curl -sS --aws-sigv4 aws:amz:us-east-1:s3 --user "$CELLGATE_KEY_ID:$CELLGATE_KEY_SECRET" "$@"; }
status() { curl -s -o said -w '%{http_code}' "$@"; }
code() { python3 -c 'import sys, xml.etree.ElementTree as tree
print(tree.parse(sys.argv[1]).getroot().findtext("Code"))' "${1-said}"; }

# METHOD path expires key secret [content type]: a query signed as before 2013.
v2_query() {
    python3 - "$@" <<'END'
import base64, hashlib, hmac, sys, urllib.parse
method, path, expires, key, secret, *kind = sys.argv[1:]
text = f"{method}\n\n{kind[0] if kind else ''}\n{expires}\n{path}"
signature = base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()
print(urllib.parse.urlencode({"AWSAccessKeyId": key, "Expires": expires, "Signature": signature}))
END
}
soon() { echo $(($(date +%s) + 600)); }

sigv4() {
    v4 -f "${UNSIGNED[@]}" -T small "$IO/curl/v4.bin"
    v4 -f -o back "$IO/curl/v4.bin"
    same_file small back
    v4 -f "$CELLGATE_URL/io?list-type=2&prefix=personal-files%2Fcurl%2F" > listing
    equal "$(python3 -c '
import xml.etree.ElementTree as tree
s3 = "{http://s3.amazonaws.com/doc/2006-03-01/}"
for entry in tree.parse("listing").iter(s3 + "Contents"):
    print(*(entry.findtext(s3 + name) for name in ("Key", "Size", "ETag")))')" \
        "personal-files/curl/v4.bin 1000 \"$(md5sum < small | cut -c -32)\""
    # Any region; S3 only.
    equal "$(curl -s -o back -w '%{http_code}' --aws-sigv4 aws:amz:eu-central-7:s3 \
        --user "$CELLGATE_KEY_ID:$CELLGATE_KEY_SECRET" "$IO/curl/v4.bin")" 200
    same_file small back
    equal "$(status --aws-sigv4 aws:amz:us-east-1:ec2 --user "$CELLGATE_KEY_ID:$CELLGATE_KEY_SECRET" "$IO/curl/v4.bin")" 400
    equal "$(status --aws-sigv4 aws:amz:us-east-1:s3 --user "$CELLGATE_KEY_ID:wrong" "$IO/curl/v4.bin")" 403
    equal "$(code)" SignatureDoesNotMatch
    equal "$(status --aws-sigv4 aws:amz:us-east-1:s3 --user "nobody:wrong" "$IO/curl/v4.bin")" 403
    equal "$(code)" InvalidAccessKeyId
}

# As with Pydio Cells: the access key is the token, the secret is no secret.
token_as_key() {
    local as=(--aws-sigv4 aws:amz:us-east-1:s3 --user "$TOKEN:gatewaysecret")
    curl -sSf "${as[@]}" "${UNSIGNED[@]}" -T small "$IO/curl/token.bin"
    curl -sSf "${as[@]}" -o back "$IO/curl/token.bin"
    same_file small back
    equal "$(status --aws-sigv4 aws:amz:us-east-1:s3 --user "$TOKEN:wrong" "$IO/curl/token.bin")" 403
    equal "$(status --aws-sigv4 aws:amz:us-east-1:s3 --user "${TOKEN}x:gatewaysecret" "$IO/curl/token.bin")" 403
    # It is in no error.
    lacks "$(cat said)" "$TOKEN"
    equal "$(status --aws-sigv4 aws:amz:us-east-1:s3 --user "gateway:gatewaysecret" "$IO/curl/token.bin")" 403
}

# What a browser with the interface of Cells sends, as somebody captured it: signed for the key
# `gateway`, the content type signed and repeated in the query, the token in a header beside it.
v2_capture() {
    local path=/io/personal-files/curl/logic-spock.jpg query
    query=$(v2_query PUT $path "$(soon)" gateway gatewaysecret application/octet-stream)
    local url="$CELLGATE_URL$path?$query&Content-Type=application%2Foctet-stream"
    curl -sSf -X PUT -H "X-Pydio-Bearer: $TOKEN" -H 'Content-Type: application/octet-stream' \
        --data-binary @large "$url"
    curl -sSf -H "Authorization: Bearer $TOKEN" -o back "$CELLGATE_URL$path"
    same_file large back
    # The same with the header that made Cells refuse it.
    curl -sSf -X PUT -H "X-Pydio-Bearer: $TOKEN" -H "Authorization: Bearer $TOKEN" \
        -H 'Content-Type: application/octet-stream' --data-binary @small "$url"
    # The signature alone opens nothing, nor does a token beside a signature that is wrong.
    local put=(-X PUT -H 'Content-Type: application/octet-stream' --data-binary @large)
    equal "$(status "${put[@]}" "$url")" 403
    equal "$(status "${put[@]}" -H "X-Pydio-Bearer: wrong" "$url")" 403
    equal "$(status "${put[@]}" -H "X-Pydio-Bearer: $TOKEN" "${url/logic/magic}")" 403
    equal "$(status -X PUT -H 'Content-Type: text/plain' -H "X-Pydio-Bearer: $TOKEN" --data-binary @large "$url")" 403
    query=$(v2_query PUT $path $(($(date +%s) - 1)) gateway gatewaysecret application/octet-stream)
    equal "$(status "${put[@]}" -H "X-Pydio-Bearer: $TOKEN" "$CELLGATE_URL$path?$query")" 403
    equal "$(code)" AccessDenied
    curl -sSf -H "Authorization: Bearer $TOKEN" -o back "$CELLGATE_URL$path"
    same_file small back
}

# As the interface downloads: the token joins the query after it was signed.
v2_jwt() {
    local path=/io/personal-files/curl/v4.bin query
    query=$(v2_query GET $path "$(soon)" gateway gatewaysecret)
    curl -sSf -o back "$CELLGATE_URL$path?$query&pydio_jwt=$TOKEN"
    same_file small back
    equal "$(status "$CELLGATE_URL$path?$query")" 403
    equal "$(status "$CELLGATE_URL$path?$query&pydio_jwt=wrong")" 403
}

v2_key() {
    local path=/io/personal-files/curl/v4.bin
    curl -sSf -o back "$CELLGATE_URL$path?$(v2_query GET $path "$(soon)" "$CELLGATE_KEY_ID" "$CELLGATE_KEY_SECRET")"
    same_file small back
    equal "$(status "$CELLGATE_URL$path?$(v2_query GET $path "$(soon)" "$CELLGATE_KEY_ID" gatewaysecret)")" 403
    equal "$(code)" SignatureDoesNotMatch
    equal "$(status "$CELLGATE_URL$path?$(v2_query GET $path $(($(date +%s) - 1)) "$CELLGATE_KEY_ID" "$CELLGATE_KEY_SECRET")")" 403
    equal "$(code)" AccessDenied
    # For reading is not for deleting.
    equal "$(status -X DELETE "$CELLGATE_URL$path?$(v2_query GET $path "$(soon)" "$CELLGATE_KEY_ID" "$CELLGATE_KEY_SECRET")")" 403
}

bearer() {
    local as=(-H "Authorization: Bearer $TOKEN")
    curl -sSf "${as[@]}" -T small "$IO/curl/bearer%20%C3%A9.bin"
    curl -sSf "${as[@]}" -o back "$IO/curl/bearer%20%C3%A9.bin"
    same_file small back
    equal "$(curl -sSf "${as[@]}" -r 10-19 "$IO/curl/bearer%20%C3%A9.bin" | cmp - <(head -c 20 small | tail -c 10) && echo same)" same
    contains "$(curl -sSf "${as[@]}" "$CELLGATE_URL/io?prefix=personal-files/curl/")" "personal-files/curl/bearer é.bin"
    equal "$(status -H "Authorization: Bearer wrong" "$IO/curl/v4.bin")" 403
    equal "$(code)" AccessDenied
}

anonymous() {
    local url
    for url in "$CELLGATE_URL/io" "$IO/curl/v4.bin" "$IO/curl/nothing" "$CELLGATE_URL/io?list-type=2"; do
        equal "$(status "$url")" 403
        equal "$(code)" AccessDenied
    done
    equal "$(status -T small "$IO/curl/anonymous.bin")" 403
    equal "$(status -X DELETE "$IO/curl/v4.bin")" 403
    equal "$(v4 -o /dev/null -w '%{http_code}' "$IO/curl/anonymous.bin")" 404
    v4 -f -o back "$IO/curl/v4.bin"
    same_file small back
}

# Fields of a signed form, one a line as curl's -F takes them: for a key, for so many bytes at most.
form() {
    python3 - "$CELLGATE_KEY_ID" "$CELLGATE_KEY_SECRET" "$@" <<'END'
import base64, datetime, hashlib, hmac, json, sys
key_id, secret, key, most = sys.argv[1:]
now = datetime.datetime.now(datetime.timezone.utc)
date, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
fields = {"key": key, "x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-date": date,
          "x-amz-credential": f"{key_id}/{day}/us-east-1/s3/aws4_request", "success_action_status": "201"}
conditions = [{name: value} for name, value in fields.items() if name != "key"]
conditions += [["starts-with", "$key", key.removesuffix("${filename}")], {"bucket": "io"}, ["content-length-range", 1, int(most)], ["starts-with", "$Content-Type", "text/"]]
until = (now + datetime.timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
policy = base64.b64encode(json.dumps({"expiration": until, "conditions": conditions}).encode()).decode()
signing = f"AWS4{secret}".encode()
for part in (day, "us-east-1", "s3", "aws4_request"):
    signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
fields["policy"] = policy
fields["x-amz-signature"] = hmac.new(signing, policy.encode(), hashlib.sha256).hexdigest()
for name, value in fields.items():
    print(f"{name}={value}")
END
}

post_form() {
    local fields=() line
    while IFS= read -r line; do fields+=(-F "$line"); done < <(form 'personal-files/curl/form/${filename}' 5000)
    equal "$(status "${fields[@]}" -F Content-Type=text/plain -F 'file=@small;filename=é 1.txt' "$CELLGATE_URL/io")" 201
    contains "$(cat said)" "<Key>personal-files/curl/form/é 1.txt</Key>"
    v4 -f -D head -o back "$IO/curl/form/%C3%A9%201.txt"
    same_file small back
    contains "$(tr 'A-Z' 'a-z' < head)" "content-type: text/plain"
    equal "$(status "${fields[@]}" -F Content-Type=text/plain -F 'file=@large;filename=large' "$CELLGATE_URL/io")" 400
    equal "$(code)" EntityTooLarge
    equal "$(status "${fields[@]}" -F Content-Type=image/png -F 'file=@small;filename=png' "$CELLGATE_URL/io")" 403
    equal "$(status "${fields[@]/curl\/form/curl\/other}" -F Content-Type=text/plain -F 'file=@small;filename=x' "$CELLGATE_URL/io")" 403
    equal "$(status -F key=personal-files/curl/form/bare -F file=@small "$CELLGATE_URL/io")" 403
    lacks "$(v4 "$CELLGATE_URL/io?list-type=2&prefix=personal-files%2Fcurl%2Fform%2F")" large
}

try "signature V4 by --aws-sigv4" sigv4
try "a token as access key" token_as_key
try "signature V2 with X-Pydio-Bearer, as captured" v2_capture
try "signature V2 with pydio_jwt" v2_jwt
try "signature V2 with a key" v2_key
try "a bare Bearer" bearer
try "nobody" anonymous
try "a form" post_form

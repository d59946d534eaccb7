#!/usr/bin/env python3
"""The life of tokens and keys over S3: what is revoked opens nothing within a second, and what was begun
while a token was good goes on to its end. The gateway of this client gives tokens of ten seconds."""

import hashlib
import http.client
import os
import subprocess
import threading
import time

import boto3
import requests
from botocore.config import Config
from botocore.exceptions import ClientError
from case import KEY_ID, KEY_SECRET, PASSWORD, URL, USER, case, equal, run

BUCKET = "io"
BASE = "personal-files/tokens/"
LIFE = 10
MIB = 1 << 20


def sign_in():
    info = {"AuthInfo": {"login": USER, "password": PASSWORD, "type": "credentials"}}
    visit = requests.Session()
    answer = visit.post(f"{URL}/a/frontend/session", json=info, timeout=30)
    equal(answer.status_code, 200)
    return visit, answer.json()["JWT"]


def client(key_id, secret="gatewaysecret"):
    return boto3.client(
        "s3",
        endpoint_url=URL,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


def cellgate(*arguments):
    done = subprocess.run(
        [os.environ["CELLGATE_BINARY"], *arguments], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def put(s3, name, body):
    return s3.put_object(Bucket=BUCKET, Key=BASE + name, Body=body)


def status(call, *arguments):
    """What a call is answered: 200, or the code of its error."""
    try:
        call(*arguments)
        return 200
    except ClientError as error:
        return error.response["Error"]["Code"]


def refused_within(seconds, call):
    """Asks until it is refused; how long it was not."""
    begun = time.monotonic()
    while (found := status(call)) == 200:
        lasted = time.monotonic() - begun
        assert lasted < seconds, f"still good after {lasted:.2f} s"
        time.sleep(0.02)
    assert found in ("AccessDenied", "InvalidAccessKeyId", "403"), found


class elder:
    """What the first token began."""

    slow = os.urandom(3 * MIB)
    large = os.urandom(32 * MIB)
    pieces = [os.urandom(5 * MIB), os.urandom(5 * MIB), b"the end"]
    done = []


PARTS = {"Bucket": BUCKET, "Key": BASE + "parts.bin"}


def send_part(s3, number):
    part = s3.upload_part(**PARTS, UploadId=elder.upload, PartNumber=number, Body=elder.pieces[number - 1])
    elder.done.append({"PartNumber": number, "ETag": part["ETag"]})


keeper = client(KEY_ID, KEY_SECRET)


@case("a token as access key, while it is good")
def good():
    _, elder.token = sign_in()
    elder.ends = time.monotonic() + LIFE
    s3 = client(elder.token)
    put(s3, "a.txt", b"hello")
    elder.url = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": BASE + "a.txt"})
    equal(requests.get(elder.url, timeout=30).content, b"hello")


# What goes on below is begun with that token: an upload whose bytes come slowly, a download that is read
# slowly, an upload in parts.
@case("begun with that token")
def begin():
    s3 = client(elder.token)
    put(keeper, "large.bin", elder.large)
    elder.wire = http.client.HTTPConnection(URL.removeprefix("http://"), timeout=60)
    elder.wire.putrequest("PUT", f"/io/{BASE}slow.bin")
    elder.wire.putheader("Authorization", f"Bearer {elder.token}")
    elder.wire.putheader("Content-Length", str(len(elder.slow)))
    elder.wire.endheaders()
    elder.wire.send(elder.slow[:MIB])
    elder.stream = s3.get_object(Bucket=BUCKET, Key=BASE + "large.bin")["Body"]
    elder.read = elder.stream.read(MIB)
    elder.upload = s3.create_multipart_upload(**PARTS)["UploadId"]
    send_part(s3, 1)
    assert time.monotonic() < elder.ends, "this machine is too slow for the lifetime"


@case("a session that ends")
def logout():
    visit, token = sign_in()
    s3 = client(token)
    get = lambda: s3.get_object(Bucket=BUCKET, Key=BASE + "a.txt")["Body"].read()  # noqa: E731
    equal(get(), b"hello")
    bearer = {"Authorization": f"Bearer {token}"}
    info = {"AuthInfo": {"type": "logout"}}
    visit.post(f"{URL}/a/frontend/session", json=info, headers=bearer, timeout=30).raise_for_status()
    refused_within(1, get)
    equal(requests.get(f"{URL}/io/{BASE}a.txt", headers=bearer, timeout=30).status_code, 403)


@case("a key that is deleted by a command")
def key_deleted():
    printed = cellgate("key", "create", USER).split()
    s3 = client(printed[1], printed[3])
    get = lambda: s3.get_object(Bucket=BUCKET, Key=BASE + "a.txt")["Body"].read()  # noqa: E731
    equal(get(), b"hello")
    cellgate("key", "delete", printed[1])
    refused_within(1.5, get)
    equal(status(put, s3, "a.txt", b"never"), "InvalidAccessKeyId")
    equal(keeper.get_object(Bucket=BUCKET, Key=BASE + "a.txt")["Body"].read(), b"hello")


@case("many readers while a session ends")
def readers():
    visit, token = sign_in()
    bearer = {"Authorization": f"Bearer {token}"}
    answers = []

    def read():
        with requests.Session() as session:
            while not answers or time.monotonic() < stop:
                asked = time.monotonic()
                found = session.get(f"{URL}/io/{BASE}a.txt", headers=bearer, timeout=30).status_code
                answers.append((asked, found))

    stop = time.monotonic() + 2.5
    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    info = {"AuthInfo": {"type": "logout"}}
    visit.post(f"{URL}/a/frontend/session", json=info, headers=bearer, timeout=30).raise_for_status()
    ended = time.monotonic()
    for thread in threads:
        thread.join()
    assert any(found == 200 for _, found in answers), "nobody read anything"
    equal({found for _, found in answers} - {200, 403}, set())
    late = [asked - ended for asked, found in answers if found == 200]
    assert max(late) < 1, f"still good {max(late):.2f} s after the end"
    assert any(found == 403 for _, found in answers), "nobody was refused"


@case("that token, expired")
def expired():
    time.sleep(max(0, elder.ends + 1.1 - time.monotonic()))
    s3 = client(elder.token)
    equal(status(lambda: s3.get_object(Bucket=BUCKET, Key=BASE + "a.txt")), "AccessDenied")
    equal(status(put, s3, "a.txt", b"never"), "AccessDenied")
    # A link lives no longer than the token in it.
    equal(requests.get(elder.url, timeout=30).status_code, 403)
    bearer = {"Authorization": f"Bearer {elder.token}"}
    equal(requests.get(f"{URL}/io/{BASE}a.txt", headers=bearer, timeout=30).status_code, 403)
    equal(keeper.get_object(Bucket=BUCKET, Key=BASE + "a.txt")["Body"].read(), b"hello")


@case("an upload that outlives its token")
def slow_upload():
    elder.wire.send(elder.slow[MIB:])
    answer = elder.wire.getresponse()
    equal((answer.status, answer.read()), (200, b""))
    equal(answer.headers["ETag"], f'"{hashlib.md5(elder.slow).hexdigest()}"')
    elder.wire.close()
    assert keeper.get_object(Bucket=BUCKET, Key=BASE + "slow.bin")["Body"].read() == elder.slow


@case("a download that outlives its token")
def slow_download():
    assert elder.read + elder.stream.read() == elder.large


# A new token of the same user goes on where the first one stopped.
@case("an upload in parts, by two tokens")
def parts():
    equal(status(send_part, client(elder.token), 2), "AccessDenied")
    s3 = client(sign_in()[1])
    send_part(s3, 2)
    send_part(s3, 3)
    s3.complete_multipart_upload(**PARTS, UploadId=elder.upload, MultipartUpload={"Parts": elder.done})
    assert keeper.get_object(**PARTS)["Body"].read() == b"".join(elder.pieces)


run("tokens")

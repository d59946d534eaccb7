#!/usr/bin/env python3
"""minio-py: signed bodies, parts in parallel, compositions, tags, forms and presigned links."""

import datetime
import hashlib
import io
import os
from datetime import timedelta

import requests
from case import KEY_ID, KEY_SECRET, URL, case, equal, run
from minio import Minio, S3Error
from minio.commonconfig import REPLACE, ComposeSource, CopySource, Tags
from minio.datatypes import PostPolicy
from minio.deleteobjects import DeleteObject

# It refuses names of two letters, so not `io`.
BUCKET = "data"
BASE = "personal-files/minio/"
MIB = 1 << 20

client = Minio(
    URL.removeprefix("http://"), access_key=KEY_ID, secret_key=KEY_SECRET, region="us-east-1", secure=False
)
parts = os.urandom(16 * MIB + 12345)


def refused(code, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except S3Error as error:
        equal(error.code, code, "the error")
        return error
    raise AssertionError(f"expected {code}, found success")


def put(name, body, **arguments):
    return client.put_object(BUCKET, BASE + name, io.BytesIO(body), len(body), **arguments)


def get(name, bucket=BUCKET, base=BASE, **arguments):
    answer = client.get_object(bucket, base + name, **arguments)
    try:
        return answer.read()
    finally:
        answer.close()
        answer.release_conn()


def names(prefix="", **arguments):
    found = client.list_objects(BUCKET, prefix=BASE + prefix, **arguments)
    return [entry.object_name.removeprefix(BASE) for entry in found]


@case("list_buckets, bucket_exists")
def buckets():
    found = [bucket.name for bucket in client.list_buckets()]
    assert {"io", "data", "personal-files"} <= set(found), found
    assert client.bucket_exists("data") and client.bucket_exists("personal-files")
    assert not client.bucket_exists("no-such-bucket")


@case("put_object, get_object, stat_object")
def put_get_stat():
    etag = hashlib.md5(b"hello").hexdigest()
    for name in ["a.txt", "a b", "a%20b", "a+b", "é", "[x]", "日本語"]:
        result = put(name, b"hello", content_type="text/x-test", metadata={"colour": "blue"})
        equal(result.etag, etag, name)
        equal(get(name), b"hello", name)
        stat = client.stat_object(BUCKET, BASE + name)
        equal((stat.size, stat.etag, stat.content_type), (5, etag, "text/x-test"), name)
        equal(stat.metadata["x-amz-meta-colour"], "blue", name)
        age = datetime.datetime.now(datetime.timezone.utc) - stat.last_modified
        assert -2 < age.total_seconds() < 120, age
    put("empty", b"")
    equal(get("empty"), b"")
    refused("NoSuchKey", client.stat_object, BUCKET, BASE + "nothing")
    refused("NoSuchKey", get, "nothing")


@case("get_object: offset and length")
def ranges():
    put("range", b"0123456789")
    equal(get("range", offset=3, length=4), b"3456")
    equal(get("range", offset=7), b"789")
    refused("InvalidRange", get, "range", offset=10, length=5)


@case("fput_object, fget_object in parts")
def files():
    with open("up", "wb") as out:
        out.write(parts)
    result = client.fput_object(BUCKET, BASE + "parts", "up", part_size=5 * MIB, metadata={"n": "1"})
    digests = [hashlib.md5(parts[at : at + 5 * MIB]).digest() for at in range(0, len(parts), 5 * MIB)]
    equal(result.etag, f"{hashlib.md5(b''.join(digests)).hexdigest()}-{len(digests)}")
    client.fget_object(BUCKET, BASE + "parts", "down")
    with open("down", "rb") as down:
        assert down.read() == parts
    equal(client.stat_object(BUCKET, BASE + "parts").metadata["x-amz-meta-n"], "1")


@case("put_object of unknown length")
def stream():
    client.put_object(BUCKET, BASE + "stream", io.BytesIO(parts), -1, part_size=5 * MIB)
    assert get("stream") == parts


@case("list_objects")
def listing():
    for name in ["list/1", "list/sub/2", "list/sub/deep/3", "list/é"]:
        put(name, b"x")
    # Prefixes come after the objects of their page, by the client's own order.
    equal(names("list/"), ["list/1", "list/é", "list/sub/"])
    equal(names("list/", recursive=True), ["list/1", "list/sub/2", "list/sub/deep/3", "list/é"])
    equal(names("list/", recursive=True, use_api_v1=True), ["list/1", "list/sub/2", "list/sub/deep/3", "list/é"])
    equal(names("list/", recursive=True, start_after=BASE + "list/sub/2"), ["list/sub/deep/3", "list/é"])
    equal(names("list/nothing"), [])


@case("copy_object")
def copy():
    put("source é", b"copied", metadata={"k": "v"}, content_type="text/x-test")
    client.copy_object(BUCKET, BASE + "copy", CopySource(BUCKET, BASE + "source é"))
    equal(get("copy"), b"copied")
    stat = client.stat_object(BUCKET, BASE + "copy")
    equal((stat.metadata.get("x-amz-meta-k"), stat.content_type), ("v", "text/x-test"))
    client.copy_object(
        BUCKET,
        BASE + "copy",
        CopySource(BUCKET, BASE + "copy"),
        metadata={"n": "w"},
        metadata_directive=REPLACE,
    )
    stat = client.stat_object(BUCKET, BASE + "copy")
    equal((stat.metadata.get("x-amz-meta-n"), stat.metadata.get("x-amz-meta-k")), ("w", None))
    equal(get("copy"), b"copied")
    refused("NoSuchKey", client.copy_object, BUCKET, BASE + "copy", CopySource(BUCKET, BASE + "nothing"))
    source = CopySource(BUCKET, BASE + "copy", match_etag="0" * 32)
    refused("PreconditionFailed", client.copy_object, BUCKET, BASE + "never", source)


# UploadPartCopy, of ranges too.
@case("compose_object")
def compose():
    put("tail", b"the end")
    sources = [
        ComposeSource(BUCKET, BASE + "parts"),
        ComposeSource(BUCKET, BASE + "parts", offset=MIB, length=6 * MIB),
        ComposeSource(BUCKET, BASE + "tail"),
    ]
    client.compose_object(BUCKET, BASE + "composed", sources, metadata={"made": "of three"})
    assert get("composed") == parts + parts[MIB : 7 * MIB] + b"the end"
    equal(client.stat_object(BUCKET, BASE + "composed").metadata["x-amz-meta-made"], "of three")


@case("object tags")
def tags():
    some = Tags.new_object_tags()
    some["a"], some["é"] = "1", "two words"
    put("tagged", b"x", tags=some)
    equal(dict(client.get_object_tags(BUCKET, BASE + "tagged")), {"a": "1", "é": "two words"})
    other = Tags.new_object_tags()
    other["n"] = ""
    client.set_object_tags(BUCKET, BASE + "tagged", other)
    equal(dict(client.get_object_tags(BUCKET, BASE + "tagged")), {"n": ""})
    client.delete_object_tags(BUCKET, BASE + "tagged")
    equal(client.get_object_tags(BUCKET, BASE + "tagged"), None)
    equal(get("tagged"), b"x")


@case("presigned links")
def presigned():
    name = "presigned é+ %.txt"
    url = client.presigned_put_object(BUCKET, BASE + name, expires=timedelta(minutes=5))
    equal(requests.put(url, data=b"linked", timeout=30).status_code, 200)
    wanted = {"response-content-type": "x/y"}
    url = client.presigned_get_object(BUCKET, BASE + name, timedelta(minutes=5), response_headers=wanted)
    answer = requests.get(url, timeout=30)
    equal((answer.content, answer.headers["content-type"]), (b"linked", "x/y"))
    # For GET alone, for this key alone.
    equal(requests.put(url, data=b"other", timeout=30).status_code, 403)
    equal(requests.get(url.replace("presigned%20", "presignex%20"), timeout=30).status_code, 403)
    old = datetime.datetime.now(datetime.timezone.utc) - timedelta(minutes=10)
    url = client.presigned_get_object(BUCKET, BASE + name, timedelta(minutes=5), request_date=old)
    answer = requests.get(url, timeout=30)
    assert answer.status_code == 403 and "<Code>AccessDenied</Code>" in answer.text, answer.text
    equal(get(name), b"linked")


@case("presigned_post_policy")
def form():
    until = datetime.datetime.now(datetime.timezone.utc) + timedelta(minutes=5)
    policy = PostPolicy(BUCKET, until)
    policy.add_starts_with_condition("key", BASE + "form/")
    policy.add_content_length_range_condition(1, 1000)
    fields = client.presigned_post_policy(policy)
    post = lambda key, body: requests.post(  # noqa: E731
        f"{URL}/{BUCKET}", data={**fields, "key": BASE + key}, files={"file": ("f", body)}, timeout=30
    )
    equal(post("form/é.txt", b"posted").status_code, 204)
    equal(get("form/é.txt"), b"posted")
    equal(post("other.txt", b"posted").status_code, 403)
    equal(post("form/large", b"x" * 1001).status_code, 400)
    refused("NoSuchKey", client.stat_object, BUCKET, BASE + "other.txt")
    refused("NoSuchKey", client.stat_object, BUCKET, BASE + "form/large")


@case("remove_object, remove_objects")
def remove():
    client.remove_object(BUCKET, BASE + "a.txt")
    refused("NoSuchKey", client.stat_object, BUCKET, BASE + "a.txt")
    doomed = [DeleteObject(BASE + name) for name in names("list/", recursive=True) + ["never there"]]
    equal(list(client.remove_objects(BUCKET, doomed)), [])
    equal([name for name in names("list/", recursive=True) if not name.endswith("/")], [])


@case("make_bucket, remove_bucket")
def make_and_remove():
    client.make_bucket("made-by-minio-py")
    assert client.bucket_exists("made-by-minio-py")
    refused("BucketAlreadyOwnedByYou", client.make_bucket, "made-by-minio-py")
    client.put_object("made-by-minio-py", "deep/a.txt", io.BytesIO(b"inside"), 6)
    equal(get("made-by-minio-py/deep/a.txt", base=""), b"inside")
    refused("BucketNotEmpty", client.remove_bucket, "made-by-minio-py")
    client.remove_object("made-by-minio-py", "deep/a.txt")
    client.remove_bucket("made-by-minio-py")
    assert not client.bucket_exists("made-by-minio-py")
    refused("NoSuchBucket", client.remove_bucket, "made-by-minio-py")


@case("a wrong secret")
def wrong_secret():
    host = URL.removeprefix("http://")
    other = Minio(host, access_key=KEY_ID, secret_key="wrong", region="us-east-1", secure=False)
    refused("SignatureDoesNotMatch", other.list_buckets)


run("minio-py")

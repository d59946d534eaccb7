#!/usr/bin/env python3
"""boto3: conditions, ranges, checksums, copies, parts, paging, versions, tags, forms, buckets, and keys
with awkward names; by clients, by resources and by the transfer manager."""

import base64
import datetime
import hashlib
import io
import os
import zlib

import boto3
import requests
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError
from case import case, equal, run

BUCKET = "io"
BASE = "personal-files/boto3/"


def client(**settings):
    return boto3.client(
        "s3",
        endpoint_url=os.environ["CELLGATE_URL"],
        aws_access_key_id=os.environ["CELLGATE_KEY_ID"],
        aws_secret_access_key=os.environ["CELLGATE_KEY_SECRET"],
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, **settings),
    )


s3 = client()


def refused(code, call, **arguments):
    """The call must fail with this code, or this status where an answer has no body."""
    try:
        call(**arguments)
    except ClientError as error:
        found = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        assert code in found or str(code) in found, f"expected {code}, found {found}"
        return error.response
    raise AssertionError(f"expected {code}, found success")


def put(name, body, **arguments):
    return s3.put_object(Bucket=BUCKET, Key=BASE + name, Body=body, **arguments)


def get(name, **arguments):
    return s3.get_object(Bucket=BUCKET, Key=BASE + name, **arguments)


def keys(prefix, **arguments):
    answer = s3.list_objects_v2(Bucket=BUCKET, Prefix=BASE + prefix, **arguments)
    return [entry["Key"][len(BASE) :] for entry in answer.get("Contents", [])]


@case("put, get, head")
def put_get_head():
    body = b"hello"
    etag = put("a.txt", body, ContentType="text/x-test", Metadata={"colour": "blue"})["ETag"]
    assert etag == f'"{hashlib.md5(body).hexdigest()}"', etag
    got = get("a.txt")
    assert got["Body"].read() == body
    head = s3.head_object(Bucket=BUCKET, Key=BASE + "a.txt")
    for answer in (got, head):
        assert answer["ContentLength"] == 5
        assert answer["ETag"] == etag
        assert answer["ContentType"] == "text/x-test", answer["ContentType"]
        assert answer["Metadata"] == {"colour": "blue"}, answer["Metadata"]


@case("an empty object")
def empty():
    put("empty", b"")
    assert get("empty")["Body"].read() == b""
    assert keys("empty") == ["empty"]


@case("what is missing")
def missing():
    refused("NoSuchKey", get, name="nothing")
    refused("404", s3.head_object, Bucket=BUCKET, Key=BASE + "nothing")
    refused("NoSuchBucket", s3.list_objects_v2, Bucket="another-bucket")
    refused("NoSuchBucket", s3.put_object, Bucket="another-bucket", Key="a", Body=b"x")
    refused("NoSuchBucket", s3.delete_object, Bucket="another-bucket", Key="a")


@case("ranges")
def ranges():
    put("range", b"0123456789")
    for asked, expected, shown in [
        ("bytes=0-0", b"0", "bytes 0-0/10"),
        ("bytes=3-5", b"345", "bytes 3-5/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-4", b"6789", "bytes 6-9/10"),
        ("bytes=5-100", b"56789", "bytes 5-9/10"),
    ]:
        got = get("range", Range=asked)
        assert got["Body"].read() == expected, asked
        assert got["ContentRange"] == shown, got["ContentRange"]
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    refused("InvalidRange", get, name="range", Range="bytes=10-")


@case("conditions of reading")
def conditions_reading():
    etag = put("condition", b"x")["ETag"]
    assert get("condition", IfMatch=etag)["Body"].read() == b"x"
    refused("PreconditionFailed", get, name="condition", IfMatch='"0"')
    refused(304, get, name="condition", IfNoneMatch=etag)
    assert get("condition", IfNoneMatch='"0"')["Body"].read() == b"x"
    modified = get("condition")["LastModified"]
    refused(304, get, name="condition", IfModifiedSince=modified)
    assert get("condition", IfUnmodifiedSince=modified)["Body"].read() == b"x"


@case("conditions of writing")
def conditions_writing():
    s3.delete_object(Bucket=BUCKET, Key=BASE + "once")
    etag = put("once", b"1", IfNoneMatch="*")["ETag"]
    refused("PreconditionFailed", put, name="once", body=b"2", IfNoneMatch="*")
    refused("PreconditionFailed", put, name="once", body=b"2", IfMatch='"0"')
    put("once", b"3", IfMatch=etag)
    assert get("once")["Body"].read() == b"3"


@case("copy")
def copy():
    put("source é", b"copied", ContentType="text/x-test", Metadata={"k": "v"})
    source = {"Bucket": BUCKET, "Key": BASE + "source é"}
    answer = s3.copy_object(Bucket=BUCKET, Key=BASE + "target", CopySource=source)
    assert answer["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(b"copied").hexdigest()}"'
    got = get("target")
    assert got["Body"].read() == b"copied"
    assert got["ContentType"] == "text/x-test" and got["Metadata"] == {"k": "v"}, got
    s3.copy_object(
        Bucket=BUCKET, Key=BASE + "target", CopySource=source, MetadataDirective="REPLACE", Metadata={"n": "w"}
    )
    assert get("target")["Metadata"] == {"n": "w"}
    refused(
        "PreconditionFailed",
        s3.copy_object,
        Bucket=BUCKET,
        Key=BASE + "target",
        CopySource=source,
        CopySourceIfMatch='"0"',
    )
    refused("NoSuchKey", s3.copy_object, Bucket=BUCKET, Key=BASE + "t", CopySource=f"{BUCKET}/{BASE}none")


@case("delete_objects")
def delete_objects():
    names = [f"many/{n:04}" for n in range(20)]
    for name in names:
        put(name, b"x")
    objects = [{"Key": BASE + name} for name in names + ["many/never there"]]
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": objects})
    assert len(answer["Deleted"]) == 21, answer
    assert "Errors" not in answer, answer["Errors"]
    assert [key for key in keys("many/") if not key.endswith("/")] == []


@case("awkward keys")
def awkward():
    names = [
        "a b",
        "a%20b",
        "a+b",
        "é",
        "日本語",
        "[x]",
        "(x)",
        "a&b=c;d,e",
        "a'b\"c",
        "a#b?c",
        "~tilde",
        "$dollar@at:colon",
        "!bang*star",
        "trailing.dot.",
        "<x>",
        "a\\b",
        "UPPER",
        "upper",
        "emoji😀",
        "x" * 200,
    ]
    for name in names:
        put("awkward/" + name, name.encode())
    for name in names:
        assert get("awkward/" + name)["Body"].read() == name.encode(), name
    found = [key for key in keys("awkward/") if not key.endswith("/")]
    expected = sorted(("awkward/" + name for name in names), key=lambda key: key.encode())
    assert found == expected, (found, expected)


@case("keys that are refused")
def refused_keys():
    # What no tree can hold: parent folders, and a file below a file.
    for key in ["personal-files/boto3/../x", "personal-files/boto3/a/./b"]:
        url = s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": key})
        status = requests.put(requests.Request("PUT", url).prepare().url, data=b"x", timeout=30).status_code
        assert 400 <= status < 500, (key, status)
    put("file", b"x")
    refused(409, put, name="file/below", body=b"x")
    assert get("file")["Body"].read() == b"x"


@case("delimiters and prefixes")
def delimiters():
    for name in ["d/1", "d/2", "d/sub/3", "d/sub/deep/4", "d.txt"]:
        put("list/" + name, b"x")
    answer = s3.list_objects_v2(Bucket=BUCKET, Prefix=BASE + "list/d", Delimiter="/")
    assert [entry["Key"] for entry in answer["Contents"]] == [BASE + "list/d.txt"], answer
    assert [entry["Prefix"] for entry in answer["CommonPrefixes"]] == [BASE + "list/d/"], answer
    answer = s3.list_objects_v2(Bucket=BUCKET, Prefix=BASE + "list/d/", Delimiter="/")
    assert [e["Prefix"] for e in answer["CommonPrefixes"]] == [BASE + "list/d/sub/"], answer


@case("pages of a listing, both versions")
def pages():
    names = sorted(f"pages/{n:03}" for n in range(25))
    for name in names:
        put(name, b"x")
    for operation in ["list_objects_v2", "list_objects"]:
        found = []
        count = 0
        pages = s3.get_paginator(operation).paginate(
            Bucket=BUCKET, Prefix=BASE + "pages/0", PaginationConfig={"PageSize": 7}
        )
        for page in pages:
            count += 1
            found += [entry["Key"][len(BASE) :] for entry in page["Contents"]]
        assert found == names, (operation, found)
        assert count == 4, (operation, count)
    after = keys("pages/", StartAfter=BASE + "pages/020")
    assert after == names[21:], after


@case("parts")
def parts():
    size = 5 * 1024 * 1024
    pieces = [os.urandom(size), os.urandom(size), b"the end"]
    key = BASE + "parts"
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key=key, ContentType="text/x-test")["UploadId"]
    done = []
    for number, piece in enumerate(pieces, 1):
        part = s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=piece)
        done.append({"PartNumber": number, "ETag": part["ETag"]})
    listed = s3.list_parts(Bucket=BUCKET, Key=key, UploadId=upload)["Parts"]
    assert [part["Size"] for part in listed] == [len(piece) for piece in pieces], listed
    uploads = s3.list_multipart_uploads(Bucket=BUCKET, Prefix=key)["Uploads"]
    assert [u["UploadId"] for u in uploads] == [upload], uploads
    refused("NoSuchKey", get, name="parts")
    answer = s3.complete_multipart_upload(
        Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": done}
    )
    digests = b"".join(hashlib.md5(piece).digest() for piece in pieces)
    assert answer["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-3"', answer["ETag"]
    got = get("parts")
    assert got["Body"].read() == b"".join(pieces)
    assert got["ContentType"] == "text/x-test"


@case("parts: aborted, too small, out of order")
def parts_refused():
    key = BASE + "parts refused"
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    etags = {}
    for number in (1, 2):
        part = s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=b"small")
        etags[number] = part["ETag"]
    complete = lambda parts: refused(  # noqa: E731
        parts[0],
        s3.complete_multipart_upload,
        Bucket=BUCKET,
        Key=key,
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": n, "ETag": e} for n, e in parts[1]]},
    )
    complete(("EntityTooSmall", [(1, etags[1]), (2, etags[2])]))
    complete(("InvalidPartOrder", [(2, etags[2]), (1, etags[1])]))
    complete(("InvalidPart", [(1, '"00000000000000000000000000000000"')]))
    s3.abort_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload)
    refused("NoSuchUpload", s3.list_parts, Bucket=BUCKET, Key=key, UploadId=upload)
    refused("NoSuchKey", get, name="parts refused")


@case("upload_file and download_file in parallel parts")
def transfer():
    with open("up", "wb") as out:
        out.write(os.urandom(30_000_000))
    config = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20, max_concurrency=6)
    s3.upload_file("up", BUCKET, BASE + "transfer", Config=config)
    s3.download_file(BUCKET, BASE + "transfer", "down", Config=config)
    with open("up", "rb") as up, open("down", "rb") as down:
        assert up.read() == down.read()


@case("checksums")
def checksums():
    body = b"checked"
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    put("sha", body, ChecksumSHA256=digest)
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    refused("BadDigest", put, name="sha", body=b"never", ChecksumSHA256=wrong)
    assert get("sha")["Body"].read() == body
    # A trailing CRC32 in a chunked body is what boto3 sends by itself for streams.
    put("crc", body, ChecksumAlgorithm="CRC32")
    assert get("crc")["Body"].read() == body
    md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    refused("BadDigest", put, name="sha", body=b"never", ContentMD5=md5)
    assert get("sha")["Body"].read() == body


@case("presigned links")
def presigned():
    name = "presigned é+ %.txt"
    arguments = {"Bucket": BUCKET, "Key": BASE + name}
    url = s3.generate_presigned_url("put_object", Params=arguments)
    assert requests.put(url, data=b"linked", timeout=30).status_code == 200
    url = s3.generate_presigned_url("get_object", Params={**arguments, "ResponseContentType": "x/y"})
    answer = requests.get(url, timeout=30)
    assert answer.content == b"linked" and answer.headers["content-type"] == "x/y", answer.headers
    other = url.replace("presigned", "presignex")
    assert requests.get(other, timeout=30).status_code == 403
    old = boto3.client(
        "s3",
        endpoint_url=os.environ["CELLGATE_URL"],
        aws_access_key_id=os.environ["CELLGATE_KEY_ID"],
        aws_secret_access_key=os.environ["CELLGATE_KEY_SECRET"],
        region_name="us-east-1",
        config=Config(signature_version="s3", s3={"addressing_style": "path"}),
    )
    url = old.generate_presigned_url("get_object", Params=arguments)
    assert "AWSAccessKeyId=" in url, url
    assert requests.get(url, timeout=30).content == b"linked"


@case("head_bucket and its location")
def buckets():
    assert BUCKET in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    s3.head_bucket(Bucket=BUCKET)
    s3.get_bucket_location(Bucket=BUCKET)
    refused("404", s3.head_bucket, Bucket="another-bucket")


@case("resources")
def resources():
    session = boto3.resource(
        "s3",
        endpoint_url=os.environ["CELLGATE_URL"],
        aws_access_key_id=os.environ["CELLGATE_KEY_ID"],
        aws_secret_access_key=os.environ["CELLGATE_KEY_SECRET"],
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )
    bucket = session.Bucket(BUCKET)
    thing = bucket.Object(BASE + "resource/é.txt")
    thing.put(Body=b"hello", Metadata={"n": "1"})
    thing.reload()
    equal((thing.content_length, thing.metadata), (5, {"n": "1"}))
    bucket.Object(BASE + "resource/copy").copy_from(CopySource={"Bucket": BUCKET, "Key": thing.key})
    bucket.upload_fileobj(io.BytesIO(b"x" * 100_000), BASE + "resource/file")
    down = io.BytesIO()
    bucket.Object(BASE + "resource/file").download_fileobj(down)
    equal(down.getvalue(), b"x" * 100_000)
    found = {entry.key[len(BASE) :]: entry.size for entry in bucket.objects.filter(Prefix=BASE + "resource/")}
    equal(found, {"resource/copy": 5, "resource/file": 100_000, "resource/é.txt": 5})
    bucket.objects.filter(Prefix=BASE + "resource/").delete()
    equal([e.key for e in bucket.objects.filter(Prefix=BASE + "resource/") if e.size], [])
    refused("404", thing.load)


@case("what is kept beside the content")
def headers():
    expires = datetime.datetime(2040, 1, 1, tzinfo=datetime.timezone.utc)
    given = {
        "CacheControl": "max-age=60",
        "ContentDisposition": "attachment; filename=a.txt",
        "ContentEncoding": "identity",
        "ContentLanguage": "de",
        "ContentType": "text/x-test",
        "Metadata": {"a-b": "1", "empty": "", "words": "two  words"},
    }
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=2)
    put("headers", b"x", Expires=expires, **given)
    head = s3.head_object(Bucket=BUCKET, Key=BASE + "headers")
    equal({name: head[name] for name in given}, given)
    equal(head["ResponseMetadata"]["HTTPHeaders"]["expires"], "Sun, 01 Jan 2040 00:00:00 GMT")
    after = datetime.datetime.now(datetime.timezone.utc)
    assert before <= head["LastModified"] <= after, head["LastModified"]
    (listed,) = s3.list_objects_v2(Bucket=BUCKET, Prefix=BASE + "headers")["Contents"]
    equal(listed["LastModified"].replace(microsecond=0), head["LastModified"])


@case("checksums that the SDK adds by itself")
def default_checksums():
    body = os.urandom(100_000)
    digest = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    equal(put("default", body).get("ChecksumCRC32"), digest)
    got = get("default", ChecksumMode="ENABLED")
    equal((got.get("ChecksumCRC32"), got.get("ChecksumType")), (digest, "FULL_OBJECT"))
    # The SDK compares while it reads.
    equal(got["Body"].read(), body)
    config = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    large = os.urandom(11 << 20)
    s3.upload_fileobj(io.BytesIO(large), BUCKET, BASE + "default parts", Config=config)
    head = s3.head_object(Bucket=BUCKET, Key=BASE + "default parts", ChecksumMode="ENABLED")
    crcs = b"".join(
        zlib.crc32(large[at : at + (5 << 20)]).to_bytes(4, "big") for at in range(0, len(large), 5 << 20)
    )
    composite = base64.b64encode(zlib.crc32(crcs).to_bytes(4, "big")).decode() + "-3"
    equal((head.get("ChecksumCRC32"), head.get("ChecksumType")), (composite, "COMPOSITE"))
    quiet = client(request_checksum_calculation="when_required")
    equal(quiet.put_object(Bucket=BUCKET, Key=BASE + "quiet", Body=body).get("ChecksumCRC32"), None)
    equal(get("quiet")["Body"].read(), body)


@case("get_object_attributes, partNumber")
def attributes():
    key = BASE + "default parts"
    wanted = ["ETag", "ObjectSize", "StorageClass", "Checksum", "ObjectParts"]
    answer = s3.get_object_attributes(Bucket=BUCKET, Key=key, ObjectAttributes=wanted)
    equal((answer["ObjectSize"], answer["StorageClass"]), (11 << 20, "STANDARD"))
    equal(answer["ETag"], s3.head_object(Bucket=BUCKET, Key=key)["ETag"].strip('"'))
    equal(answer["ObjectParts"]["TotalPartsCount"], 3)
    equal([part["Size"] for part in answer["ObjectParts"]["Parts"]], [5 << 20, 5 << 20, 1 << 20])
    last = s3.get_object(Bucket=BUCKET, Key=key, PartNumber=3)
    whole = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    equal((last["PartsCount"], last["ContentRange"]), (3, f"bytes {10 << 20}-{(11 << 20) - 1}/{11 << 20}"))
    assert last["Body"].read() == whole[10 << 20 :]
    refused(416, s3.get_object, Bucket=BUCKET, Key=key, PartNumber=4)


@case("tags")
def tags():
    tags_of = lambda name: {  # noqa: E731
        tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(Bucket=BUCKET, Key=BASE + name)["TagSet"]
    }
    put("tagged", b"x", Tagging="a=1&b=two%20words")
    equal(tags_of("tagged"), {"a": "1", "b": "two words"})
    equal(get("tagged")["TagCount"], 2)
    source = {"Bucket": BUCKET, "Key": BASE + "tagged"}
    s3.copy_object(Bucket=BUCKET, Key=BASE + "tagged copy", CopySource=source)
    equal(tags_of("tagged copy"), {"a": "1", "b": "two words"})
    set_to = lambda tags: s3.put_object_tagging(  # noqa: E731
        Bucket=BUCKET, Key=BASE + "tagged", Tagging={"TagSet": [{"Key": k, "Value": v} for k, v in tags]}
    )
    set_to([("é", "x+y")])
    equal(tags_of("tagged"), {"é": "x+y"})
    try:
        set_to([(f"k{n}", "v") for n in range(11)])
        raise AssertionError("eleven tags were taken")
    except ClientError as error:
        equal(error.response["ResponseMetadata"]["HTTPStatusCode"], 400)
    equal(tags_of("tagged"), {"é": "x+y"})
    s3.delete_object_tagging(Bucket=BUCKET, Key=BASE + "tagged")
    equal(tags_of("tagged"), {})


@case("versions")
def versions():
    put("versioned", b"one")
    put("versioned", b"two")
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET, Prefix=BASE + "versioned")
    found = [version for page in pages for version in page.get("Versions", [])]
    equal([version["IsLatest"] for version in found], [True] + [False] * (len(found) - 1))
    latest = found[0]
    equal(get("versioned", VersionId=latest["VersionId"])["Body"].read(), b"two")
    equal(latest["ETag"], f'"{hashlib.md5(b"two").hexdigest()}"')
    refused(404, get, name="versioned", VersionId="00000000-0000-0000-0000-000000000000")
    s3.get_bucket_versioning(Bucket=BUCKET)


@case("a form")
def form():
    fields = {"Content-Type": "text/x-test", "x-amz-meta-colour": "blue"}
    conditions = [["content-length-range", 1, 1000], ["starts-with", "$Content-Type", "text/"]]
    conditions += [{"x-amz-meta-colour": "blue"}]
    made = s3.generate_presigned_post(BUCKET, BASE + "form é.txt", fields, conditions, ExpiresIn=60)
    post = lambda body, **other: requests.post(  # noqa: E731
        made["url"], data={**made["fields"], **other}, files={"file": ("any", body)}, timeout=30
    )
    equal(post(b"posted").status_code, 204)
    got = get("form é.txt")
    equal((got["Body"].read(), got["ContentType"]), (b"posted", "text/x-test"))
    equal(got["Metadata"], {"colour": "blue"})
    answer = post(b"x" * 1001)
    assert answer.status_code == 400 and "<Code>EntityTooLarge</Code>" in answer.text, answer.text
    for wrong in [{"key": BASE + "other"}, {"x-amz-meta-colour": "red"}, {"policy": made["fields"]["policy"][:-8]}]:
        equal(post(b"never", **wrong).status_code, 403, str(wrong))
    equal(get("form é.txt")["Body"].read(), b"posted")
    made = s3.generate_presigned_post(BUCKET, BASE + "form late", ExpiresIn=-1)
    late = requests.post(made["url"], data=made["fields"], files={"file": b"late"}, timeout=30)
    assert late.status_code == 403 and "<Code>AccessDenied</Code>" in late.text, late.text
    refused("NoSuchKey", get, name="form late")


@case("make and remove a bucket")
def make_bucket():
    name = "made-by-boto3"
    s3.create_bucket(Bucket=name)
    assert name in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    s3.head_bucket(Bucket=name)
    equal(s3.list_objects_v2(Bucket=name)["KeyCount"], 0)
    s3.put_object(Bucket=name, Key="deep/é.txt", Body=b"inside")
    equal(s3.get_object(Bucket="io", Key=f"{name}/deep/é.txt")["Body"].read(), b"inside")
    equal(s3.get_object(Bucket="data", Key=f"{name}/deep/é.txt")["Body"].read(), b"inside")
    s3.copy_object(Bucket=name, Key="copy", CopySource={"Bucket": BUCKET, "Key": f"{name}/deep/é.txt"})
    equal([entry["Key"] for entry in s3.list_objects_v2(Bucket=name)["Contents"]], ["copy", "deep/é.txt"])
    refused("BucketNotEmpty", s3.delete_bucket, Bucket=name)
    s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "copy"}, {"Key": "deep/é.txt"}]})
    s3.delete_bucket(Bucket=name)
    refused("404", s3.head_bucket, Bucket=name)
    refused("NoSuchBucket", s3.delete_bucket, Bucket=name)
    refused("InvalidBucketName", client().create_bucket, Bucket="Not-A-Name")


@case("sub-resources of a bucket")
def sub_resources():
    acl = s3.get_bucket_acl(Bucket=BUCKET)
    equal([grant["Permission"] for grant in acl["Grants"]], ["FULL_CONTROL"])
    for code, call in [
        ("NoSuchBucketPolicy", s3.get_bucket_policy),
        ("NoSuchLifecycleConfiguration", s3.get_bucket_lifecycle_configuration),
        ("NoSuchWebsiteConfiguration", s3.get_bucket_website),
        ("ObjectLockConfigurationNotFoundError", s3.get_object_lock_configuration),
        ("NoSuchTagSet", s3.get_bucket_tagging),
    ]:
        refused(code, call, Bucket=BUCKET)


@case("delete is for good and for what is missing")
def delete():
    put("deleted", b"x")
    for _ in range(2):
        answer = s3.delete_object(Bucket=BUCKET, Key=BASE + "deleted")
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    refused("NoSuchKey", get, name="deleted")


run("boto3")

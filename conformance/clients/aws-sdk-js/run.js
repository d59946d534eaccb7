#!/usr/bin/env node
// The AWS SDK for JavaScript, version 3: commands, Upload, presigned links and forms, with its own
// defaults (CRC32 in a trailer or a header) and a path-style endpoint.
"use strict";

const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const { Readable } = require("node:stream");
const s3 = require("@aws-sdk/client-s3");
const { Upload } = require("@aws-sdk/lib-storage");
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");
const { createPresignedPost } = require("@aws-sdk/s3-presigned-post");

const { CELLGATE_URL, CELLGATE_KEY_ID, CELLGATE_KEY_SECRET } = process.env;
const Bucket = "io";
const BASE = "personal-files/js/";

function connect(settings = {}) {
  return new s3.S3Client({
    endpoint: CELLGATE_URL,
    region: "us-east-1",
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: CELLGATE_KEY_ID, secretAccessKey: CELLGATE_KEY_SECRET },
    ...settings,
  });
}

const client = connect();
const md5 = (data) => crypto.createHash("md5").update(data).digest("hex");
const send = (Command, name, more = {}) => client.send(new Command({ Bucket, Key: BASE + name, ...more }));
const put = (name, Body, more) => send(s3.PutObjectCommand, name, { Body, ...more });
const head = (name, more) => send(s3.HeadObjectCommand, name, more);
const get = async (name, more) => {
  const answer = await send(s3.GetObjectCommand, name, more);
  return Buffer.from(await answer.Body.transformToByteArray());
};
const same = (found, expected, what) => assert.ok(Buffer.compare(found, Buffer.from(expected)) === 0, what);

async function refused(code, call) {
  await assert.rejects(call, (error) => {
    const found = [error.name, error.$metadata?.httpStatusCode];
    assert.ok(found.includes(code), `expected ${code}, found ${found}: ${error.message}`);
    return true;
  });
}

const cases = [];
const test = (name, run) => cases.push([name, run]);

test("put, get, head", async () => {
  for (const name of ["a.txt", "a b", "a%20b", "a+b", "é", "[x]", "(x)", "日本語", "a'b*!"]) {
    const answer = await put(name, "hello", { ContentType: "text/x-test", Metadata: { colour: "blue" } });
    assert.equal(answer.ETag, `"${md5("hello")}"`, name);
    same(await get(name), "hello", name);
    const shown = await head(name);
    assert.equal(shown.ContentLength, 5, name);
    assert.equal(shown.ETag, answer.ETag, name);
    assert.equal(shown.ContentType, "text/x-test", name);
    assert.deepEqual(shown.Metadata, { colour: "blue" }, name);
    assert.ok(Math.abs(Date.now() - shown.LastModified) < 120_000, shown.LastModified);
  }
  await put("empty", "");
  same(await get("empty"), "", "empty");
  await refused("NoSuchKey", () => get("nothing"));
  await refused(404, () => head("nothing"));
});

test("ranges and conditions", async () => {
  const { ETag } = await put("range", "0123456789");
  same(await get("range", { Range: "bytes=3-5" }), "345");
  same(await get("range", { Range: "bytes=-2" }), "89");
  await refused("InvalidRange", () => get("range", { Range: "bytes=10-" }));
  await refused(304, () => get("range", { IfNoneMatch: ETag }));
  await refused("PreconditionFailed", () => get("range", { IfMatch: '"0"' }));
  await refused("PreconditionFailed", () => put("range", "other", { IfNoneMatch: "*" }));
  await refused("PreconditionFailed", () => put("range", "other", { IfMatch: '"0"' }));
  await put("range", "other", { IfMatch: ETag });
  same(await get("range"), "other");
});

// A stream of known length goes in chunks, its checksum behind them.
test("a stream with a trailer", async () => {
  const body = crypto.randomBytes(300_000);
  await put("stream", Readable.from([body.subarray(0, 100_000), body.subarray(100_000)]), {
    ContentLength: body.length,
  });
  same(await get("stream"), body);
  const shown = await head("stream", { ChecksumMode: "ENABLED" });
  assert.ok(shown.ChecksumCRC32, "the SDK's own CRC32 is not kept");
});

test("checksums", async () => {
  const body = "checked";
  const digest = (name) => crypto.createHash(name).update(body).digest("base64");
  for (const [algorithm, name] of [["SHA1", "sha1"], ["SHA256", "sha256"]]) {
    await put("checked", body, { ChecksumAlgorithm: algorithm });
    const shown = await head("checked", { ChecksumMode: "ENABLED" });
    assert.equal(shown[`Checksum${algorithm}`], digest(name));
  }
  await put("checked", body, { ChecksumAlgorithm: "CRC32C" });
  assert.ok((await head("checked", { ChecksumMode: "ENABLED" })).ChecksumCRC32C);
  await refused("BadDigest", () => put("checked", "never", { ChecksumSHA256: digest("sha256") }));
  same(await get("checked"), body);
});

test("WHEN_REQUIRED", async () => {
  const old = connect({ requestChecksumCalculation: "WHEN_REQUIRED", responseChecksumValidation: "WHEN_REQUIRED" });
  await old.send(new s3.PutObjectCommand({ Bucket, Key: `${BASE}plain`, Body: "plain" }));
  same(await get("plain"), "plain");
  const shown = await head("plain", { ChecksumMode: "ENABLED" });
  assert.equal(shown.ChecksumCRC32, undefined);
});

test("Upload in parts", async () => {
  const body = crypto.randomBytes(17_000_000);
  const upload = new Upload({
    client,
    params: { Bucket, Key: `${BASE}parts`, Body: Readable.from(body), Metadata: { n: "1" } },
    partSize: 5 << 20,
    queueSize: 3,
  });
  let seen = 0;
  upload.on("httpUploadProgress", (progress) => (seen = Math.max(seen, progress.loaded)));
  const answer = await upload.done();
  assert.equal(seen, body.length);
  const digests = [];
  for (let at = 0; at < body.length; at += 5 << 20) {
    digests.push(crypto.createHash("md5").update(body.subarray(at, at + (5 << 20))).digest());
  }
  assert.equal(answer.ETag, `"${md5(Buffer.concat(digests))}-${digests.length}"`);
  same(await get("parts"), body);
  assert.equal((await head("parts")).Metadata.n, "1");
});

test("Upload aborted", async () => {
  const stop = new Error("stop");
  async function* broken() {
    yield crypto.randomBytes(6 << 20);
    throw stop;
  }
  const params = { Bucket, Key: `${BASE}aborted`, Body: Readable.from(broken()) };
  await assert.rejects(() => new Upload({ client, params, partSize: 5 << 20 }).done());
  await refused(404, () => head("aborted"));
  const left = await client.send(new s3.ListMultipartUploadsCommand({ Bucket, Prefix: `${BASE}aborted` }));
  assert.deepEqual(left.Uploads ?? [], []);
});

test("listings, page by page", async () => {
  const names = [];
  for (let n = 0; n < 11; n += 1) names.push(`list/é ${String(n).padStart(2, "0")}`);
  await Promise.all(names.map((name) => put(name, name)));
  await put("list/sub/below", "x");
  const found = [];
  let pages = 0;
  const asked = { Bucket, Prefix: `${BASE}list/`, Delimiter: "/", EncodingType: "url" };
  const folders = [];
  for await (const page of s3.paginateListObjectsV2({ client, pageSize: 5 }, asked)) {
    pages += 1;
    for (const entry of page.Contents ?? []) found.push(decodeURIComponent(entry.Key.replaceAll("+", " ")));
    for (const entry of page.CommonPrefixes ?? []) folders.push(entry.Prefix);
  }
  assert.deepEqual(found, names.map((name) => BASE + name));
  assert.deepEqual(folders, [`${BASE}list/sub/`]);
  assert.equal(pages, 3);
});

test("copy", async () => {
  await put("source é", "copied", { Metadata: { k: "v" } });
  const CopySource = encodeURI(`${Bucket}/${BASE}source é`);
  const answer = await send(s3.CopyObjectCommand, "copy", { CopySource });
  assert.equal(answer.CopyObjectResult.ETag, `"${md5("copied")}"`);
  same(await get("copy"), "copied");
  assert.deepEqual((await head("copy")).Metadata, { k: "v" });
  await refused("NoSuchKey", () => send(s3.CopyObjectCommand, "copy", { CopySource: `${Bucket}/${BASE}nothing` }));
});

test("presigned links", async () => {
  const Key = `${BASE}presigned é+ %.txt`;
  const sign = (command, expiresIn) => getSignedUrl(client, command, { expiresIn });
  const up = await sign(new s3.PutObjectCommand({ Bucket, Key }), 60);
  assert.equal((await fetch(up, { method: "PUT", body: "linked" })).status, 200);
  const down = await sign(new s3.GetObjectCommand({ Bucket, Key, ResponseContentType: "x/y" }), 60);
  const answer = await fetch(down);
  assert.equal(await answer.text(), "linked");
  assert.equal(answer.headers.get("content-type"), "x/y");
  assert.equal((await fetch(down.replace("x-id=GetObject", "x-id=HeadObject"))).status, 403);
  const short = await sign(new s3.GetObjectCommand({ Bucket, Key }), 1);
  await new Promise((done) => setTimeout(done, 2_100));
  const late = await fetch(short);
  assert.equal(late.status, 403);
  assert.match(await late.text(), /<Code>AccessDenied<\/Code>/);
});

test("createPresignedPost", async () => {
  const Key = `${BASE}form/\${filename}`;
  const Conditions = [["content-length-range", 1, 100], ["starts-with", "$key", `${BASE}form/`]];
  const { url, fields } = await createPresignedPost(client, { Bucket, Key, Conditions, Expires: 60 });
  const post = (fields, body) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", new Blob([body]), "posted é.txt");
    return fetch(url, { method: "POST", body: form });
  };
  const done = await post(fields, "posted");
  assert.equal(done.status, 204, await done.text());
  same(await get("form/posted é.txt"), "posted");
  assert.equal((await post({ ...fields, key: `${BASE}other` }, "posted")).status, 403);
  assert.equal((await post(fields, "x".repeat(101))).status, 400);
  await refused(404, () => head("other"));
});

test("delete", async () => {
  const Objects = ["list/sub/below", "plain", "never there"].map((name) => ({ Key: BASE + name }));
  const answer = await client.send(new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  assert.equal(answer.Deleted.length, 3);
  assert.equal(answer.Errors, undefined);
  await refused(404, () => head("plain"));
  await send(s3.DeleteObjectCommand, "copy");
  await refused(404, () => head("copy"));
});

test("buckets", async () => {
  const { Buckets } = await client.send(new s3.ListBucketsCommand({}));
  const names = Buckets.map((bucket) => bucket.Name);
  for (const name of ["io", "data", "personal-files"]) assert.ok(names.includes(name), `${names}`);
  const made = { Bucket: "made-by-js" };
  await client.send(new s3.CreateBucketCommand(made));
  await client.send(new s3.HeadBucketCommand(made));
  await refused("BucketAlreadyOwnedByYou", () => client.send(new s3.CreateBucketCommand({
    ...made,
    CreateBucketConfiguration: { LocationConstraint: "eu-west-1" },
  })));
  await client.send(new s3.PutObjectCommand({ ...made, Key: "deep/a.txt", Body: "inside" }));
  const seen = await client.send(new s3.GetObjectCommand({ Bucket, Key: "made-by-js/deep/a.txt" }));
  assert.equal(await seen.Body.transformToString(), "inside");
  await refused("BucketNotEmpty", () => client.send(new s3.DeleteBucketCommand(made)));
  await client.send(new s3.DeleteObjectCommand({ ...made, Key: "deep/a.txt" }));
  await client.send(new s3.DeleteBucketCommand(made));
  await refused(404, () => client.send(new s3.HeadBucketCommand(made)));
  await refused("NoSuchBucket", () => client.send(new s3.ListObjectsV2Command(made)));
});

test("a wrong secret", async () => {
  const other = connect({ credentials: { accessKeyId: CELLGATE_KEY_ID, secretAccessKey: "wrong" } });
  await refused("SignatureDoesNotMatch", () => other.send(new s3.ListBucketsCommand({})));
});

async function main() {
  for (const [name, run] of cases) {
    const begun = Date.now();
    let [status, detail] = ["pass", ""];
    try {
      await run();
    } catch (error) {
      const line = /run\.js:(\d+)/.exec(error.stack ?? "")?.[1] ?? "?";
      [status, detail] = ["fail", `line ${line}: ${error.name}: ${error.message} ${error.cause ?? ""}`];
    }
    console.log(JSON.stringify({ client: "aws-sdk-js", case: name, status, ms: Date.now() - begun, detail }));
  }
}

main();

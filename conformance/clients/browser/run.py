#!/usr/bin/env python3
"""Chromium, headless: a page whose form uploads a file, as a site makes one with a signed policy."""

import functools
import html
import http.server
import json
import subprocess
import threading
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from case import KEY_ID, KEY_SECRET, URL, case, equal, run

BUCKET = "io"
BASE = "personal-files/browser/"
PATIENCE = 60

s3 = boto3.client(
    "s3",
    endpoint_url=URL,
    aws_access_key_id=KEY_ID,
    aws_secret_access_key=KEY_SECRET,
    region_name="us-east-1",
    config=Config(s3={"addressing_style": "path"}),
)

# A script chooses the file, which a person would; the browser does the rest.
PAGE = """<!doctype html><meta charset="utf-8"><title>upload</title>
<form id="form" method="post" enctype="multipart/form-data" action={action}>{fields}
<input type="file" id="file" name="file"></form>
<script>
const chosen = new DataTransfer();
chosen.items.add(new File([{content}], {name}, {{ type: "text/plain" }}));
document.getElementById("file").files = chosen.files;
document.getElementById("form").submit();
</script>"""


class Site(http.server.BaseHTTPRequestHandler):
    """The site: the form, and the page that the upload leads back to."""

    page = ""
    visits = []

    def do_GET(self):
        Site.visits.append(self.path)
        body = Site.page if self.path == "/" else "<title>back</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
threading.Thread(target=server.serve_forever, daemon=True).start()
SITE = f"http://127.0.0.1:{server.server_port}"


def visit(fields, name, content, until):
    """Opens the page, and leaves when `until` holds."""
    inputs = "".join(
        f'<input type="hidden" name="{html.escape(key)}" value="{html.escape(value)}">'
        for key, value in fields.items()
    )
    quoted = functools.partial(json.dumps, ensure_ascii=False)
    Site.visits.clear()
    Site.page = PAGE.format(
        action=quoted(f"{URL}/{BUCKET}"), fields=inputs, content=quoted(content), name=quoted(name)
    )
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    options += ["--remote-debugging-port=0", "--user-data-dir=profile", f"{SITE}/"]
    browser = subprocess.Popen(["chromium", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        begun = time.monotonic()
        while not until():
            assert time.monotonic() - begun < PATIENCE, f"nothing came of it; the site saw {Site.visits}"
            time.sleep(0.1)
    finally:
        browser.terminate()
        browser.wait(30)


def policy(key, **fields):
    conditions = [{name: value} for name, value in fields.items()] + [["content-length-range", 1, 1000]]
    conditions += [["starts-with", "$key", BASE]]
    return s3.generate_presigned_post(BUCKET, key, fields, conditions, ExpiresIn=300)["fields"]


def stored(name):
    try:
        return s3.get_object(Bucket=BUCKET, Key=BASE + name)
    except ClientError as error:
        equal(error.response["Error"]["Code"], "NoSuchKey")
        return None


def back():
    return next((path for path in Site.visits if path.startswith("/back")), None)


@case("a form uploads and leads back")
def upload():
    fields = policy(BASE + "${filename}", success_action_redirect=f"{SITE}/back")
    visit(fields, "bild é +1.txt", "posted é\n", back)
    equal(stored("bild é +1.txt")["Body"].read(), "posted é\n".encode())
    assert "bucket=io" in back() and "etag=" in back(), back()


@case("a form with a policy that was changed")
def changed():
    fields = policy(BASE + "refused.txt", success_action_redirect=f"{SITE}/back")
    fields["key"] = "personal-files/elsewhere.txt"
    seen = time.monotonic() + 3
    visit(fields, "refused.txt", "posted", lambda: Site.visits and time.monotonic() > seen)
    equal(back(), None)
    equal(stored("refused.txt"), None)
    try:
        s3.head_object(Bucket=BUCKET, Key="personal-files/elsewhere.txt")
        raise AssertionError("it was stored")
    except ClientError as error:
        equal(error.response["ResponseMetadata"]["HTTPStatusCode"], 404)


run("browser")

#!/usr/bin/env python3
"""A script for Pydio Cells 2 as its users published it in the forum, step by step, with requests:
a session of the front end, REST with its token, downloads with the same token, uploads by a URL signed
for the key `gateway`, and the ID token as access key."""

import base64
import datetime
import hashlib
import hmac
import os
import time
from urllib.parse import quote

import requests
from case import PASSWORD, URL, USER, case, equal, run

WORKSPACE = "personal-files"
NAME = "report é 1.txt"
KEY = f"/io/{WORKSPACE}/{quote(NAME)}"
content = os.urandom(2_000_000)
session = {}


def login(user, password):
    info = {"AuthInfo": {"login": user, "password": password, "type": "credentials"}}
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    return requests.post(f"{URL}/a/frontend/session", json=info, headers=headers, timeout=30)


def rest(method, path, **arguments):
    headers = {"Authorization": f"Bearer {session['JWT']}", "Content-Type": "application/json"}
    return requests.request(method, f"{URL}/a/{path}", headers=headers, timeout=30, **arguments)


def signed_v2(method, path, content_type, expires):
    text = f"{method}\n\n{content_type}\n{expires}\n{path}".encode()
    signature = base64.b64encode(hmac.new(b"gatewaysecret", text, hashlib.sha1).digest()).decode()
    kind = f"&Content-Type={quote(content_type, safe='')}" if content_type else ""
    return f"{URL}{path}?AWSAccessKeyId=gateway{kind}&Expires={expires}&Signature={quote(signature, safe='')}"


def signed_v4(method, path, access_key, secret="gatewaysecret", region="us-east-1"):
    now = datetime.datetime.now(datetime.timezone.utc)
    date, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    empty = hashlib.sha256(b"").hexdigest()
    host = URL.removeprefix("http://")
    headers = {"host": host, "x-amz-content-sha256": empty, "x-amz-date": date}
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"{method}\n{path}\n\n{lines}\n{names}\n{empty}"
    scope = f"{day}/{region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    credential = f"Credential={access_key}/{scope}"
    headers["Authorization"] = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={signature}"
    return headers


@case("the vector of the forum's capture")
def vector():
    # The capture is of 2020, so that it is the signing here that it checks.
    url = signed_v2("PUT", "/io/personal-files/logic-spock.jpg", "application/octet-stream", 1579564291)
    assert url.endswith(
        "/io/personal-files/logic-spock.jpg?AWSAccessKeyId=gateway&Content-Type=application%2Foctet-stream"
        "&Expires=1579564291&Signature=nqIzr%2Fm6VXKPsPxbTTlXomZY1EE%3D"
    ), url
    answer = requests.put(url, data=b"x", headers={"Content-Type": "application/octet-stream"}, timeout=30)
    equal(answer.status_code, 403, "an URL of 2020")
    assert "<Code>AccessDenied</Code>" in answer.text, answer.text


@case("session")
def sign_in():
    equal(login(USER, "wrong").status_code, 401)
    answer = login(USER, PASSWORD)
    equal(answer.status_code, 200)
    session.update(answer.json())
    assert session["JWT"] == session["Token"]["AccessToken"], session.keys()
    assert session["ExpireTime"] > time.time(), session["ExpireTime"]


@case("stat before the upload")
def stat_before():
    answer = rest("POST", "tree/stats", json={"NodePaths": [f"{WORKSPACE}/{NAME}"]})
    equal((answer.status_code, answer.json()), (200, {}))


@case("upload: V2 signature, X-Pydio-Bearer")
def upload():
    url = signed_v2("PUT", KEY, "application/octet-stream", int(time.time()) + 600)
    kind = {"Content-Type": "application/octet-stream"}
    # Without the token, with a wrong one: nothing.
    equal(requests.put(url, data=content, headers=kind, timeout=60).status_code, 403)
    wrong = {**kind, "X-Pydio-Bearer": session["JWT"][:-4] + "AAAA"}
    equal(requests.put(url, data=content, headers=wrong, timeout=60).status_code, 403)
    answer = requests.put(url, data=content, headers={**kind, "X-Pydio-Bearer": session["JWT"]}, timeout=60)
    equal((answer.status_code, answer.content), (200, b""))
    equal(answer.headers["ETag"], f'"{hashlib.md5(content).hexdigest()}"')
    # As it is when the library adds the token to each request: Cells 2.0 refused that.
    both = {**kind, "X-Pydio-Bearer": session["JWT"], "Authorization": f"Bearer {session['JWT']}"}
    equal(requests.put(url, data=content, headers=both, timeout=60).status_code, 200)


@case("stat after the upload")
def stat_after():
    answer = rest("POST", "tree/stats", json={"NodePaths": [f"{WORKSPACE}/{NAME}"]}).json()
    node = answer["Nodes"][0]
    equal((node["Path"], int(node["Size"]), node["Type"]), (f"{WORKSPACE}/{NAME}", len(content), "LEAF"))


@case("download: a bare Bearer")
def bearer():
    headers = {"Authorization": f"Bearer {session['JWT']}", "Content-Type": "application/octet-stream"}
    answer = requests.get(URL + KEY, headers=headers, timeout=60)
    equal(answer.status_code, 200)
    assert answer.content == content
    equal(requests.get(URL + KEY, timeout=30).status_code, 403)


@case("download: the ID token as access key")
def id_token():
    # In the days of the thread `JWT` was the ID token; where there are both, both open the files.
    token = session["Token"].get("IDToken") or session["JWT"]
    answer = requests.get(URL + KEY, headers=signed_v4("GET", KEY, token), timeout=60)
    equal(answer.status_code, 200, answer.text[:300] if answer.status_code != 200 else "")
    assert answer.content == content
    answer = requests.get(URL + KEY, headers=signed_v4("GET", KEY, token, region="us-west-1"), timeout=60)
    equal(answer.status_code, 200)
    refused = requests.get(URL + KEY, headers=signed_v4("GET", KEY, token, secret="another"), timeout=30)
    equal(refused.status_code, 403)
    assert token not in refused.text
    head, claims, seal = token.split(".")
    forged = f"{head}.{claims}.{seal[:-4]}AAAA"
    equal(requests.get(URL + KEY, headers=signed_v4("GET", KEY, forged), timeout=30).status_code, 403)
    equal(requests.get(URL + KEY, headers=signed_v4("GET", KEY, "gateway"), timeout=30).status_code, 403)


@case("download: pydio_jwt behind a V2 signature")
def jwt_in_query():
    url = signed_v2("GET", KEY, "", int(time.time()) + 600)
    equal(requests.get(url, timeout=30).status_code, 403)
    answer = requests.get(f"{url}&pydio_jwt={session['JWT']}", timeout=60)
    equal(answer.status_code, 200)
    assert answer.content == content


@case("after the logout")
def logout():
    rest("POST", "frontend/session", json={"AuthInfo": {"type": "logout"}})
    headers = {"Authorization": f"Bearer {session['JWT']}"}
    time.sleep(1)
    equal(requests.get(URL + KEY, headers=headers, timeout=30).status_code, 403)


run("forum")

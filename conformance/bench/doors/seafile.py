"""Seafile's web API with a token; contents go through links that it hands out."""

import json
import re
import urllib.parse

from doors.door import Door, encoded, form
from load.ask import Caller
from request import Request

ENTRY = re.compile(rb'"name":')
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "cellgate-bench"


class Seafile(Door):
    protocol = "Seafile"

    def __init__(self, port, library, user, password):
        super().__init__(port)
        self.caller = Caller(port)
        body = f"username={encoded(user)}&password={encoded(password)}".encode()
        sign_in = Request("POST", "/api2/auth-token/", (("Host", self.host), ("Content-Type", FORM)), before=body)
        token = json.loads(self.caller.send(sign_in).body)["token"]
        self.common = (("Host", self.host), ("Authorization", f"Token {token}"))
        repos = json.loads(self.caller.send(Request("GET", "/api2/repos/", self.common)).body)
        self.library = next(repo["id"] for repo in repos if repo["name"] == library)
        self.links = {}
        self.upload_link = None

    def _url(self, version, what, path):
        return f"/{version}/repos/{self.library}/{what}/?p=/{encoded(path)}"

    def _link(self, request):
        return urllib.parse.urlsplit(json.loads(self.caller.send(request).body)).path

    def get(self, path):
        """By a link; asking for it is not part of what is measured."""
        if path not in self.links:
            self.links[path] = self._link(Request("GET", self._url("api2", "file", path) + "&reuse=1", self.common))
        return Request("GET", self.links[path], (("Host", self.host),))

    def get_range(self, path, first, last):
        link = self.get(path)
        return Request("GET", link.target, (*link.headers, ("Range", f"bytes={first}-{last}")), expected=(206,))

    def put(self, path, size):
        if not self.upload_link:
            self.upload_link = self._link(Request("GET", self._url("api2", "upload-link", ""), self.common))
        folder, _, name = path.rpartition("/")
        before, after = form(BOUNDARY, (("parent_dir", f"/{folder}"), ("replace", "1")), "file", name)
        headers = (("Host", self.host), ("Content-Type", f"multipart/form-data; boundary={BOUNDARY}"))
        return Request("POST", self.upload_link, headers, before, after, size)

    def _post(self, path, body, expected):
        headers = (*self.common, ("Content-Type", FORM))
        return Request("POST", self._url("api2", "dir", path), headers, before=body, expected=expected)

    def mkdir(self, path):
        return self._post(path, b"operation=mkdir", (201,))

    def stat(self, path):
        target = f"/api/v2.1/repos/{self.library}/dir/detail/?path=/{encoded(path)}"
        return Request("GET", target, self.common)

    def list(self, folder):
        return Request("GET", self._url("api2", "dir", folder), self.common)

    def list_all(self, folder, caller):
        answer = caller.send(self.list(folder))
        return len(ENTRY.findall(answer.body)), answer.times

    def rename(self, path, new_path):
        name = new_path.rpartition("/")[2]
        return [self._post(path, f"operation=rename&newname={encoded(name)}".encode(), (200, 301))]

    def delete(self, path):
        return Request("DELETE", self._url("api2", "dir", path), self.common)

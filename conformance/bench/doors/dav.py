"""WebDAV with Basic authentication."""

import re

from doors.door import Door, basic
from request import Request

ALLPROP = b'<?xml version="1.0"?><propfind xmlns="DAV:"><allprop/></propfind>'
RESPONSE = re.compile(rb"<(?:[A-Za-z0-9]+:)?response[ >]")


class Dav(Door):
    protocol = "WebDAV"

    def __init__(self, port, base, user, password):
        super().__init__(port)
        self.base = base
        self.common = (("Host", self.host), ("Authorization", basic(user, password)))

    def get(self, path):
        return Request("GET", f"{self.base}/{path}", self.common)

    def get_range(self, path, first, last):
        headers = (*self.common, ("Range", f"bytes={first}-{last}"))
        return Request("GET", f"{self.base}/{path}", headers, expected=(206,))

    def put(self, path, size):
        return Request("PUT", f"{self.base}/{path}", self.common, size=size, expected=(200, 201, 204))

    def mkdir(self, path):
        return Request("MKCOL", f"{self.base}/{path}/", self.common, expected=(201,))

    def _propfind(self, path, depth):
        headers = (*self.common, ("Depth", depth), ("Content-Type", "application/xml"))
        return Request("PROPFIND", f"{self.base}/{path}/", headers, before=ALLPROP, expected=(207,))

    def stat(self, path):
        return self._propfind(path, "0")

    def list(self, folder):
        return self._propfind(folder, "1")

    def list_all(self, folder, caller):
        answer = caller.send(self.list(folder))
        # The folder itself comes along.
        return len(RESPONSE.findall(answer.body)) - 1, answer.times

    def rename(self, path, new_path):
        # nginx asks for the slash on both sides when it moves a folder.
        headers = (*self.common, ("Destination", f"http://{self.host}{self.base}/{new_path}/"), ("Overwrite", "F"))
        return [Request("MOVE", f"{self.base}/{path}/", headers, expected=(201, 204))]

    def delete(self, path):
        return Request("DELETE", f"{self.base}/{path}/", self.common, expected=(200, 204))

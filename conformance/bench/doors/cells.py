"""Pydio Cells REST with a bearer token. Contents go through S3 in this protocol."""

import json
import re

from doors.door import Door, encoded
from load.ask import Caller
from request import Request

ENTRY = re.compile(rb'"Path":')


class Cells(Door):
    protocol = "Cells"

    def __init__(self, port, workspace, user, password):
        super().__init__(port)
        self.workspace = workspace
        body = json.dumps({"AuthInfo": {"type": "credentials", "login": user, "password": password}}).encode()
        headers = (("Host", self.host), ("Content-Type", "application/json"))
        session = json.loads(Caller(port).send(Request("POST", "/a/frontend/session", headers, before=body)).body)
        self.common = (*headers, ("Authorization", f"Bearer {session['JWT']}"))

    def _post(self, path, value, method="POST"):
        return Request(method, f"/a/{path}", self.common, before=json.dumps(value).encode())

    def stat(self, path):
        return Request("GET", f"/a/tree/stat/{self.workspace}/{encoded(path)}", self.common)

    def mkdir(self, path):
        return self._post("tree/create", {"Nodes": [{"Path": f"{self.workspace}/{path}", "Type": "COLLECTION"}]})

    def list(self, folder):
        return self._post("meta/bulk/get", {"NodePaths": [f"{self.workspace}/{folder}/*"]})

    def list_all(self, folder, caller):
        answer = caller.send(self.list(folder))
        return len(ENTRY.findall(answer.body)), answer.times

    def rename(self, path, new_path):
        """A job that is done when it is answered; with Cells itself a client would have to wait for it."""
        nodes, target = [f"{self.workspace}/{path}"], f"{self.workspace}/{new_path}"
        parameters = json.dumps({"nodes": nodes, "target": target, "targetParent": False})
        return [self._post("jobs/user/move", {"JsonParameters": parameters}, method="PUT")]

    def delete(self, path):
        nodes = [{"Path": f"{self.workspace}/{path}"}]
        return self._post("tree/delete", {"Nodes": nodes, "RemovePermanently": True})

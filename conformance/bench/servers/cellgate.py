"""cellgate, with a durable and a relaxed workspace, and all five doors to each."""

import os
import subprocess
import time

from doors.cells import Cells
from doors.dav import Dav
from doors.pydio8 import Pydio8
from doors.s3 import S3
from doors.seafile import Seafile
from load.ask import Caller
from processes import output
from request import Failed, Request
from servers.server import PASSWORD, USER, Server

WORKSPACE = "bench"
RELAXED = "relaxed"


class Cellgate(Server):
    name = "cellgate"
    binary = ""

    def __init__(self, work, tls=None, data=None):
        super().__init__(work, tls)
        self.data = data or work / ("cellgate-tls" if tls else "cellgate")
        self.key, self.relaxed = None, []
        self.second_key, self.is_second = None, False

    @classmethod
    def missing(cls):
        return None if os.access(cls.binary, os.X_OK) else "not found"

    @classmethod
    def version(cls):
        return output(cls.binary, "--version").removeprefix("cellgate ")

    @classmethod
    def binaries(cls):
        return [cls.binary]

    def environment(self):
        environment = {
            "CELLGATE_LISTEN": f"127.0.0.1:{self.port}",
            "CELLGATE_DATA": str(self.data),
            "CELLGATE_ADMIN_PASSWORD": PASSWORD,
            "CELLGATE_LOG": "warn",
            # A run takes longer than a token lives.
            "CELLGATE_ACCESS_TOKEN_S": "86400",
        }
        if self.tls:
            environment |= {"CELLGATE_TLS_CERT": self.tls[0], "CELLGATE_TLS_KEY": self.tls[1]}
        return environment

    def command(self):
        return [self.binary, "serve"]

    def administer(self, *arguments):
        done = subprocess.run([self.binary, *arguments], env={**os.environ, **self.environment()},
                              capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise Failed(f"cellgate {arguments[0]} {arguments[1]}: {done.stderr.strip()[-200:]}")
        return done.stdout

    def make_doors(self):
        if not self.tls:
            # It listens before its first start is through, and two must not do that at once.
            Caller(self.port).send(Request("GET", "/", (("Host", f"127.0.0.1:{self.port}"),)))
        if not self.key:
            lines = self.administer("key", "create", USER).strip().splitlines()
            self.key = dict(line.split() for line in lines)
            for name, more in ((WORKSPACE, []), (RELAXED, ["--relaxed"])):
                self.administer("datasource", "add", name, "--path", name, *more)
                self.administer("workspace", "create", name, "--datasource", name, "--label", name,
                                "--rights", "rw", "--no-recycle")
            # The running server sees it within a second.
            time.sleep(1.2)
        if self.tls or self.is_second:
            # The two doors that need no sign-in, which goes over plain HTTP here.
            return [self._s3(WORKSPACE), self._dav(WORKSPACE)]
        self.relaxed = self._doors(RELAXED)
        return self._doors(WORKSPACE)

    def _s3(self, workspace):
        return S3(self.port, "io", f"{workspace}/", self.key["id"], self.key["secret"])

    def _dav(self, workspace):
        return Dav(self.port, f"/dav/{workspace}", USER, PASSWORD)

    def _doors(self, workspace):
        return [
            self._s3(workspace),
            self._dav(workspace),
            Pydio8(self.port, workspace, USER, PASSWORD),
            Seafile(self.port, workspace, USER, PASSWORD),
            Cells(self.port, workspace, USER, PASSWORD),
        ]

    def second(self):
        """On files of its own, prepared once: two servers do not share an index of SQLite."""
        data = self.work / "cellgate-second"
        if not self.second_key:
            first = Cellgate(self.work, data=data)
            try:
                first.start()
                caller, door = Caller(first.port), first.door("WebDAV")
                caller.send(door.mkdir("keys"))
                caller.send(door.put("keys/k00000", 1024), b"x" * 1024)
                self.second_key = first.key
            finally:
                first.stop()
        other = Cellgate(self.work, data=data)
        other.key, other.is_second = self.second_key, True
        return other

    def make_probe(self, protocol):
        return self._dav(WORKSPACE) if protocol == "WebDAV" else self._s3(WORKSPACE)

    def clear(self, name, workspace=WORKSPACE):
        """By WebDAV, whose DELETE takes files and folders; blobs go in the background."""
        dav = self._dav(workspace)
        request = Request("DELETE", dav.get(name).target, dav.common, expected=(200, 204, 404))
        Caller(self.port).send(request)

"""What the servers have in common: a port, a process, doors.

Peers share one folder of files: it is the root of the WebDAV servers and the bucket `files` of the S3
servers. What they write goes into folders that no two of them share.
"""

import os
import pathlib
import shutil
import time

from doors.dav import Dav
from doors.s3 import S3
from load.ask import Caller
from processes import Child, find, free_port, settle

USER = "admin"
PASSWORD = "bench-password"
ACCESS_KEY = "benchaccesskey"
SECRET_KEY = "benchsecretkey0123456789"
BUCKET = "files"


class Server:
    name = ""
    program = ""

    def __init__(self, work, tls=None):
        """`tls`: certificate and key, for a server that answers over TLS alone."""
        self.work, self.tls = work, tls
        self.child, self.port, self.doors = None, 0, []

    @classmethod
    def missing(cls):
        """Why it cannot be measured here; nothing when it can."""
        return None if find(cls.program) else "not found"

    @classmethod
    def version(cls):
        return ""

    @classmethod
    def binaries(cls):
        """The files that make the program."""
        return [find(cls.program)]

    @property
    def root(self):
        return self.work / "root"

    @property
    def files(self):
        return self.root / BUCKET

    def own(self, suffix):
        """A path of this server's own, below the work folder."""
        return self.work / f"{self.name.replace(' ', '-').lower()}-{self.port}.{suffix}"

    def start(self):
        self.port = free_port()
        self.child = Child(self.command(), self.own("log"), self.environment())
        self.child.wait_for(self.port)
        if not self.doors:
            self.doors = self.make_doors()

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {}

    def make_doors(self):
        raise NotImplementedError

    def door(self, protocol):
        return next((door for door in self.doors if door.protocol == protocol), None)

    def end(self):
        """Asks it to stop, without waiting."""
        if self.child:
            self.child.end()

    def stop(self):
        if self.child:
            self.child.stop()

    def cold_start(self, protocol=""):
        """Starts a second server: milliseconds to its first answer with content, and its memory then."""
        other = self.second()
        other.port = free_port()
        command, environment = other.command(), other.environment()
        door = other.make_probe(protocol)
        request = door.get("keys/k00000")
        began = time.perf_counter()
        other.child = Child(command, other.own("log"), environment)
        try:
            other.child.wait_for(other.port)
            Caller(other.port).send(request)
            took_ms = (time.perf_counter() - began) * 1e3
            return took_ms, other.child.resident_kib()
        finally:
            other.stop()

    def second(self):
        """Another one on the same files, not started yet."""
        return type(self)(self.work)

    def make_probe(self, protocol):
        """A door that needs nothing from the server before its first request."""
        return self.make_doors()[0]

    def fresh_folder(self, door, name):
        """A folder to write into; S3 has none to make."""
        if door.protocol != "S3":
            Caller(self.port).send(door.mkdir(name))

    def clear(self, name):
        """Takes a folder or file that was written away again, past the server."""
        # What was under way when the load ended is still being written.
        settle([self])
        target = self.files / name
        if target.is_dir():
            shutil.rmtree(target, ignore_errors=True)
        else:
            target.unlink(missing_ok=True)


class DavPeer(Server):
    protocol = "WebDAV"

    def make_doors(self):
        return [Dav(self.port, "", USER, PASSWORD)]


class S3Peer(Server):
    protocol = "S3"

    def make_doors(self):
        return [S3(self.port, BUCKET, "", ACCESS_KEY, SECRET_KEY)]


def size_of(paths):
    return sum(pathlib.Path(os.path.realpath(path)).stat().st_size for path in paths if path)


"""The files that are read: made once on disk for the peers, and sent to cellgate by its own door."""

import hashlib
import os

from doors.dav import Dav
from load.ask import Caller
from load.send import Span, send
from load.wrk import Script

SMALL = b"x" * 1024
ENTRY = b"0123456789"
SHORT_FOLDER = "hundred"
LARGE = "large.bin"


def keys(size):
    return [f"keys/k{n:05}" for n in range(size.keys)]


def folder_name(entries):
    return f"many-{entries}"


def folders(size):
    """Name, entries and their content."""
    yield "keys", [path.split("/")[1] for path in keys(size)], SMALL
    yield SHORT_FOLDER, [f"file-{n:06}.txt" for n in range(100)], ENTRY
    for entries in size.folders:
        yield folder_name(entries), [f"file-{n:06}.txt" for n in range(entries)], ENTRY


def make(files, size):
    """On disk. Writable for all: Apache changes to a user of its own."""
    files.mkdir(parents=True)
    for name, names, content in folders(size):
        folder = files / name
        folder.mkdir()
        for entry in names:
            (folder / entry).write_bytes(content)
        os.chmod(folder, 0o777)
    os.chmod(files, 0o777)
    block = hashlib.shake_256(b"cellgate bench").digest(1 << 20)
    with open(files / LARGE, "wb") as large:
        for n in range(size.large_bytes >> 20):
            # No two blocks alike, so that what is sent in the wrong order is seen.
            large.write(n.to_bytes(8, "little") + block[8:])


def fill(gate, work, size):
    """The same for cellgate, through WebDAV."""
    door = gate.door("WebDAV")
    caller = Caller(gate.port)
    for name, names, content in folders(size):
        caller.send(door.mkdir(name))
        requests = [door.put(f"{name}/{entry}", len(content)) for entry in names]
        script = Script(work, "fill", requests, content)
        # wrk wraps around and writes some twice, the same bytes. It stops by the number of answers, which
        # may be one of a second round before the last of the first: then another round is needed.
        for _ in range(3):
            script.send(gate.port, 32, 600, stop_after=len(requests))
            found, _ = door.list_all(name, caller)
            if found == len(names):
                break
        script.remove()
        if found != len(names):
            raise SystemExit(f"cellgate has {found} of {len(names)} files in {name} after filling it")
    put_large(gate, door, work)


def put_large(gate, door: Dav, work):
    path = work / "root" / "files" / LARGE
    length = path.stat().st_size
    send(gate.port, door.put(LARGE, length).head(), [Span(0, length)], path)

"""W1: GET of 1 KiB files, each request another one, each door with its own sign-in."""

from content import SMALL, keys
from measure import LIMIT, Entry
from sizes import bytes_text, connections_text, count
from workloads.script import Prepared, limit

LABELS = {
    "S3": "S3, V4 header",
    "WebDAV": "WebDAV, Basic",
    "Pydio 8": "Pydio 8 get_content, Basic",
    "Seafile": "Seafile, download link",
    "Cells": "Cells stat, Bearer",
}
GOAL = ">= 60,000/s"


def run(bench):
    paths = keys(bench.size)
    ways = []
    for server, door in bench.doors():
        # Contents are no part of Cells REST: its stat is measured, which has no fixed length.
        operation, length = (door.stat, None) if door.protocol == "Cells" else (door.get, len(SMALL))
        ways.append((server, door, LABELS[door.protocol], _prepared(bench, server, operation, paths, length)))
    if bench.gate:
        door = bench.gate.door("S3")
        presigned = _prepared(bench, bench.gate, door.get_presigned, paths, len(SMALL))
        ways.append((bench.gate, door, "S3, presigned", presigned))
    ceiling = limit(bench)
    for connections in bench.size.connections:
        entries = []
        for server, door, label, prepared in ways:
            goal = GOAL if connections == 16 and server is bench.gate and door.protocol != "Cells" else ""
            entries.append(Entry(server.name, label, door.protocol, _sender(prepared, connections),
                                 before=prepared.prepare, goal=goal))
        if ceiling:
            entries.append(Entry(LIMIT, "(client alone)", "", _sender(ceiling, connections), before=ceiling.prepare))
        what = f"GET {bytes_text(len(SMALL))} of {count(len(paths))} files, {connections_text(connections)}"
        bench.measure("W1", what, "/s", entries)


def _prepared(bench, server, operation, paths, length):
    return Prepared(bench, server.port, lambda: [operation(path) for path in paths], length)


def _sender(prepared, connections):
    return lambda: prepared.send(connections)

"""W7: renaming a folder with many files in it, through every door that can."""

from content import folder_name
from load.ask import Caller
from measure import Entry
from sizes import count

LABELS = {
    "S3": "S3",
    "WebDAV": "WebDAV MOVE",
    "Pydio 8": "Pydio 8 rename",
    "Seafile": "Seafile dir rename",
    "Cells": "Cells move job",
}


def run(bench):
    entries = bench.size.folders[-1]
    folder = folder_name(entries)
    ways = []
    for server, door in bench.doors():
        goal = "<= 5 ms" if server is bench.gate and door.protocol != "S3" else ""
        ways.append(Entry(server.name, LABELS[door.protocol], door.protocol, _call(server, door, folder), goal=goal))
    bench.measure("W7", f"rename a folder of {count(entries)} files", "ms", ways, lower=True)


def _call(server, door, folder):
    def call():
        caller = Caller(server.port, timeout_s=300)
        there = sum(caller.send(request).times.total_ms for request in door.rename(folder, f"{folder}-renamed"))
        # That it was there to be renamed back is the check; a rename that is not one would fail here.
        for request in door.rename(f"{folder}-renamed", folder):
            caller.send(request)
        return there

    return call

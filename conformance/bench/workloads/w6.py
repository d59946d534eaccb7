"""W6: listing a whole large folder, as each protocol's clients do it."""

from content import folder_name
from doors.s3 import KEY
from load.ask import Caller
from measure import Entry
from request import Failed
from sizes import count

LABELS = {
    "S3": "S3 ListObjectsV2, all pages",
    "WebDAV": "WebDAV PROPFIND, allprop",
    "Pydio 8": "Pydio 8 ls, all pages",
    "Seafile": "Seafile dir",
    "Cells": "Cells bulk get",
}
PAGE = 1000


def run(bench):
    for entries in bench.size.folders:
        last = entries == bench.size.folders[-1]
        _whole(bench, entries, last)
        if last:
            _pages(bench, entries)


def _whole(bench, entries, last):
    folder = folder_name(entries)
    ways = []
    for server, door in bench.doors():
        goal = "<= 400 ms" if last and server is bench.gate and door.protocol == "WebDAV" else ""
        call = _call(door, Caller(server.port), folder, entries)
        ways.append(Entry(server.name, LABELS[door.protocol], door.protocol, call, goal=goal))
    what = f"list {count(entries)} entries"
    rows = bench.measure("W6", what, "ms", ways, lower=True)
    if last:
        bench.derive(rows, f"{what}, first byte", "first_ms", "ms", {LABELS["WebDAV"]: "<= 5 ms"})


def _call(door, caller, folder, entries):
    def call():
        found, times = door.list_all(folder, caller)
        if found != entries:
            raise Failed(f"lists {found:,} of {entries:,}")
        return times.total_ms, {"first_ms": times.first_ms}

    return call


def _pages(bench, entries):
    """What a client that shows a part of the folder asks for."""
    folder = folder_name(entries)
    ways, first = [], []
    for server, door in bench.doors():
        if door.protocol == "S3":
            query = [("list-type", "2"), ("max-keys", str(PAGE)), ("prefix", f"{door.prefix}{folder}/"),
                     ("start-after", f"{door.prefix}{folder}/file-{entries - PAGE - 200:06}.txt")]
            goal = "<= 5 ms" if server is bench.gate else ""
            call = _page(door, Caller(server.port), query)
            ways.append(Entry(server.name, "S3 ListObjectsV2", door.protocol, call, goal=goal))
        if door.protocol == "Pydio 8":
            call = _first_page(door, Caller(server.port), folder)
            first.append(Entry(server.name, "Pydio 8 ls", door.protocol, call))
    bench.measure("W6", f"a page of {count(PAGE)} near the end of {count(entries)}", "ms", ways, lower=True)
    bench.measure("W6", f"the first page of {count(entries)}", "ms", first, lower=True)


def _page(door, caller, query):
    def call():
        answer = caller.send(door.signed("GET", f"/{door.bucket}", query))
        found = len(KEY.findall(answer.body))
        if found != PAGE:
            raise Failed(f"lists {found:,} of {PAGE:,}")
        return answer.times.total_ms

    return call


def _first_page(door, caller, folder):
    def call():
        found, _, times = door.list_page(folder, caller)
        if not found:
            raise Failed("lists nothing")
        return times.total_ms

    return call

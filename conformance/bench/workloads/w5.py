"""W5: GET of 64 KiB from anywhere in a large file."""

import random

from content import LARGE
from measure import Entry
from sizes import bytes_text
from workloads.script import Prepared

LENGTH = 64 << 10
CONNECTIONS = 16
LABELS = {"S3": "S3", "WebDAV": "WebDAV", "Pydio 8": "Pydio 8 download", "Seafile": "Seafile, download link"}


def run(bench):
    size = bench.size.large_bytes
    # The same places for everybody.
    places = [random.Random(n).randrange(0, size - LENGTH) & ~0xFFF for n in range(2_000)]
    entries = []
    for server, door in bench.doors():
        if door.protocol in LABELS:
            prepared = Prepared(bench, server.port, _builder(door, places), LENGTH)
            entries.append(Entry(server.name, LABELS[door.protocol], door.protocol, _sender(prepared),
                                 before=prepared.prepare))
    what = f"GET {bytes_text(LENGTH)} by Range from {bytes_text(size)}, {CONNECTIONS} connections"
    bench.measure("W5", what, "/s", entries)


def _builder(door, places):
    return lambda: [door.get_range(LARGE, first, first + LENGTH - 1) for first in places]


def _sender(prepared):
    return lambda: prepared.send(CONNECTIONS)

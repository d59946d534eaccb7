"""W2: PUT of 4 KiB files, each a new one, durable and relaxed."""

import hashlib
import itertools

from load.ask import Caller
from load.wrk import Script
from measure import Entry
from servers.cellgate import RELAXED, WORKSPACE
from sizes import bytes_text, connections_text

CONTENT = bytes(range(256)) * 16
DIGEST = hashlib.sha256(CONTENT).hexdigest()
# More than any server takes in a second; who does writes some names twice.
REQUESTS_PER_S = 20_000
LABELS = {"S3": "S3, signed payload", "WebDAV": "WebDAV", "Pydio 8": "Pydio 8 upload", "Seafile": "Seafile upload link"}
# Enough to see what it changes.
RELAXED_DOORS = ("S3", "WebDAV")
_numbers = itertools.count()


class Puts:
    def __init__(self, bench, server, door, connections, workspace=None):
        self.bench, self.server, self.door = bench, server, door
        self.connections, self.workspace = connections, workspace
        self.folder, self.script = None, None

    def _request(self, n):
        path = f"{self.folder}/f{n:06}"
        # SDKs sign the payload of a small object when there is no TLS.
        more = {"payload": DIGEST} if self.door.protocol == "S3" else {}
        return self.door.put(path, len(CONTENT), **more)

    def prepare(self):
        number = next(_numbers)
        self.folder = f"puts-{number}"
        self.server.fresh_folder(self.door, self.folder)
        requests = [self._request(n) for n in range(REQUESTS_PER_S * self.bench.size.seconds)]
        Caller(self.server.port).send(requests[0], CONTENT)
        self.script = Script(self.bench.work, f"puts-{number}", requests, CONTENT)

    def send(self):
        return self.script.send(self.server.port, self.connections, self.bench.size.seconds)

    def tidy(self):
        if self.script:
            self.script.remove()
        if self.workspace:
            self.server.clear(self.folder, self.workspace)
        else:
            self.server.clear(self.folder)


def run(bench):
    for connections in bench.size.put_connections:
        entries = []
        for server, door in bench.doors():
            if door.protocol in LABELS:
                workspace = WORKSPACE if server is bench.gate else None
                entries.append(_entry(bench, server, door, connections, LABELS[door.protocol], workspace))
        for door in bench.gate.relaxed if bench.gate else []:
            if door.protocol in RELAXED_DOORS:
                label = f"{LABELS[door.protocol]}, relaxed"
                entries.append(_entry(bench, bench.gate, door, connections, label, RELAXED))
        bench.measure("W2", f"PUT {bytes_text(len(CONTENT))}, {connections_text(connections)}", "/s", entries)


def _entry(bench, server, door, connections, label, workspace):
    puts = Puts(bench, server, door, connections, workspace)
    durable = workspace == WORKSPACE
    # Ten times what one writer can sync: writes that arrive together must share a sync.
    goal = f">= {10 * bench.syncs_per_s:,.0f}/s" if durable and connections == 64 else ""
    return Entry(server.name, label, door.protocol, puts.send, before=puts.prepare, after=puts.tidy, goal=goal)

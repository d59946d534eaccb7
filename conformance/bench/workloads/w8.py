"""W8: metadata, mixed: each round makes a folder, asks for one, lists one, renames one and deletes one.

The load generator has no order between its connections, so the operations of a round are about folders
of different rounds: each is renamed and deleted long after it was made.
"""

import itertools

from content import SHORT_FOLDER
from load.ask import Caller
from load.wrk import Script
from measure import Entry

CONNECTIONS = 16
# Rounds between making a folder and asking for it, renaming it, deleting it.
LAG = 100
ROUNDS = 2_000
_numbers = itertools.count()


class Mix:
    def __init__(self, bench, server, door):
        self.bench, self.server, self.door = bench, server, door
        self.folder, self.script, self.per_round = None, None, 0

    def _new(self, n):
        return f"{self.folder}/d{n % ROUNDS:05}"

    def _renamed(self, n):
        return f"{self.folder}/e{n % ROUNDS:05}"

    def _round(self, n):
        door = self.door
        return [
            door.mkdir(self._new(n)),
            door.stat(self._new(n - LAG)),
            door.list(SHORT_FOLDER),
            *self._rename(n - 2 * LAG),
            door.delete(self._renamed(n - 3 * LAG)),
        ]

    def _rename(self, n):
        if self.door.protocol == "S3":
            # The old object goes when nothing can be copying it any more.
            return [self.door.copy(self._new(n), self._renamed(n)), self.door.delete(self._new(n - LAG))]
        return self.door.rename(self._new(n), self._renamed(n))

    def prepare(self):
        self.folder = f"mix-{next(_numbers)}"
        caller = Caller(self.server.port)
        self.server.fresh_folder(self.door, self.folder)
        # What the rounds before the first one would have left.
        for n in range(ROUNDS - 3 * LAG, ROUNDS):
            renamed = n < ROUNDS - 2 * LAG
            if renamed:
                caller.send(self.door.mkdir(self._renamed(n)))
            if not renamed or self.door.protocol == "S3":
                caller.send(self.door.mkdir(self._new(n)))
        rounds = [self._round(n) for n in range(ROUNDS)]
        self.per_round = len(rounds[0])
        # The first one by one, so that a refusal is seen for what it is.
        for request in rounds[0]:
            caller.send(request)
        self.script = Script(self.bench.work, self.folder, list(itertools.chain(*rounds[1:], rounds[0])))

    def send(self):
        rate, details = self.script.send(self.server.port, CONNECTIONS, self.bench.size.seconds)
        return rate / self.per_round, {**details, "requests_per_round": self.per_round}

    def tidy(self):
        if self.script:
            self.script.remove()
        self.server.clear(self.folder)


LABELS = {
    "S3": "S3: empty objects, copy+delete",
    "WebDAV": "WebDAV",
    "Pydio 8": "Pydio 8",
    "Seafile": "Seafile",
    "Cells": "Cells",
}


def run(bench):
    entries = []
    for server, door in bench.doors():
        mix = Mix(bench, server, door)
        entries.append(Entry(server.name, LABELS[door.protocol], door.protocol, mix.send,
                             before=mix.prepare, after=mix.tidy))
    what = f"rounds of mkdir, stat, list of 100, rename, delete; {CONNECTIONS} connections"
    bench.measure("W8", what, "/s", entries)

"""Scripts for wrk, built when they are first needed."""

import itertools
import time

from load.ask import Caller
from load.wrk import Script
from request import Failed, Request

# Signatures are good for fifteen minutes.
STALE_S = 300
_numbers = itertools.count()


class Prepared:
    """The requests of one door, checked once before they are sent by the thousand."""

    def __init__(self, bench, port, build, length=None):
        """`build` answers the requests; `length` is what the first one's answer must have."""
        self.bench, self.port, self.build, self.length = bench, port, build, length
        self.script, self.built = None, 0.0

    def prepare(self):
        if self.script and time.monotonic() - self.built < STALE_S:
            return
        requests = self.build()
        answer = Caller(self.port).send(requests[0])
        if self.length is not None and len(answer.body) != self.length:
            raise Failed(f"answers {len(answer.body)} bytes instead of {self.length}")
        self.script = Script(self.bench.work, f"script-{next(_numbers)}", requests)
        self.built = time.monotonic()

    def send(self, connections):
        return self.script.send(self.port, connections, self.bench.size.seconds)


def limit(bench):
    """What wrk gets from a server that does nothing; only where nginx is there to be that server."""
    nginx = next((peer for peer in bench.peers if peer.name == "nginx"), None)
    if not nginx:
        return None
    headers = (("Host", f"127.0.0.1:{nginx.port}"), ("Authorization", "x" * 200))
    return Prepared(bench, nginx.port, lambda: [Request("GET", nginx.open_path, headers)] * 1000, 1024)

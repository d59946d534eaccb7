"""W10: what a server costs that has nothing to do: memory, start, size."""

import socket
import time

from measure import Entry
from processes import settle
from request import Failed
from servers.server import size_of
from sizes import count

SERVER = "(server)"


def run(bench):
    _memory_now(bench)
    _at_start(bench)
    _idle(bench)
    _once(bench, "size of the program", "MB", lambda server: size_of(server.binaries()) / 1e6)


def _entries(bench, call, goal=""):
    return [Entry(server.name, SERVER, getattr(server, "protocol", ""), _bound(call, server),
                  goal=goal if server is bench.gate else "") for server in bench.servers]


def _bound(call, server):
    return lambda: call(server)


def _once(bench, case, unit, call, goal=""):
    """What does not vary, or cannot be repeated."""
    repeats, bench.size.repeats = bench.size.repeats, 1
    try:
        bench.measure("W10", case, unit, _entries(bench, call, goal), lower=True)
    finally:
        bench.size.repeats = repeats


def _memory_now(bench):
    _once(bench, "resident memory after all of the above", "MB", lambda server: server.child.resident_kib() / 1024)


def _at_start(bench):
    def call(server, protocol=""):
        start_ms, resident_kib = server.cold_start(protocol)
        return start_ms, {"resident_mb": resident_kib / 1024}

    entries = _entries(bench, call, "<= 50 ms")
    if bench.gate:
        # A password costs a slow hash the first time, as it should; a key does not.
        by_password = lambda: call(bench.gate, "WebDAV")[0]
        entries.append(Entry(bench.gate.name, "(server), by password", "", by_password))
    rows = bench.measure("W10", "start to first answer", "ms", entries, lower=True)
    bench.derive(rows, "resident memory after the first answer", "resident_mb", "MB", {SERVER: "<= 24 MB"})


def _idle(bench):
    """Connections that have been answered once and are kept: what each adds to the memory of the server."""

    def call(server):
        other = server.second()
        other.start()
        held = []
        try:
            request = other.doors[0].get("keys/k00000").head()
            # What the first request of all brings into memory is no connection's.
            _ask(other.port, request).close()
            before = _quiet(other)
            for _ in range(bench.size.idle):
                held.append(_ask(other.port, request))
            after = _quiet(other)
            if not all(_alive(connection) for connection in held):
                raise Failed("closed some of them")
            return (after - before) / len(held)
        finally:
            for connection in held:
                connection.close()
            other.stop()

    _once(bench, f"memory of an idle connection, of {count(bench.size.idle)}", "KiB", call, "<= 16 KiB")


def _quiet(server):
    settle([server])
    time.sleep(0.5)
    return server.child.resident_kib()


def _ask(port, request):
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = connection.recv(65536)
        if not piece:
            raise Failed("closes a connection without an answer")
        answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise Failed(f"GET answers {head[9:12].decode()}")
    while len(body) < 1024:
        body += connection.recv(65536) or b"x" * 1024
    return connection


def _alive(connection):
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True

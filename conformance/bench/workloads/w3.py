"""W3: GET of a large file, in one stream and in four, plain and over TLS."""

import subprocess

from content import LARGE, put_large
from load import curl
from load.limits import Endless
from measure import LIMIT, Entry
from processes import find
from request import Failed, Request
from servers import Cellgate
from sizes import bytes_text

LABELS = {"S3": "S3", "WebDAV": "WebDAV", "Pydio 8": "Pydio 8 download", "Seafile": "Seafile, download link"}


def run(bench):
    size = bench.size.large_bytes
    endless = Endless(bench.work / "root" / "files" / LARGE, size)
    try:
        for streams in (1, 4):
            entries = [_entry(server, door, size, streams, False, bench.gate) for server, door in bench.doors()
                       if door.protocol in LABELS]
            request = Request("GET", "/", (("Host", "localhost"),))
            entries.append(Entry(LIMIT, "(client alone)", "", lambda streams=streams:
                                 curl.fetch(request, endless.port, size, streams, False) / 1e6))
            bench.measure("W3", _case(size, streams, "plain"), "MB/s", entries)
    finally:
        endless.close()
    _over_tls(bench, size)


def _over_tls(bench, size):
    pair = certificate(bench.work)
    started, refusals = [], []
    try:
        for server in bench.servers:
            try:
                started.append(_second(bench, server, pair))
            except Failed as reason:
                refusals.append((server, reason))
        for streams in (1, 4):
            entries = [_entry(server, door, size, streams, True, None) for server in started for door in server.doors]
            for server, reason in refusals:
                door = server.doors[0]
                entries.append(Entry(server.name, LABELS[door.protocol], door.protocol, _raiser(reason)))
            bench.measure("W3", _case(size, streams, "TLS"), "MB/s", entries)
    finally:
        for server in started:
            server.stop()


def _case(size, streams, how):
    return f"GET {bytes_text(size)}, {streams} stream{'s' if streams > 1 else ''}, {how}"


def _entry(server, door, size, streams, tls, gate):
    def call():
        request = door.download(LARGE) if door.protocol == "Pydio 8" else door.get(LARGE)
        return curl.fetch(request, server.port, size, streams, tls) / 1e6

    goal = ">= 2,500 MB/s" if server is gate and streams == 1 else ""
    return Entry(server.name, LABELS[door.protocol], door.protocol, call, goal=goal)


def _raiser(reason):
    def call():
        raise reason

    return call


def _second(bench, server, pair):
    """The same server once more, over TLS: cellgate with files of its own, the others with the same."""
    if server is not bench.gate:
        other = type(server)(bench.work, pair)
    else:
        plain = Cellgate(bench.work, data=bench.work / "cellgate-tls")
        try:
            plain.start()
            put_large(plain, plain.door("WebDAV"), bench.work)
        finally:
            plain.stop()
        other = Cellgate(bench.work, pair)
        other.key = plain.key
    try:
        other.start()
    except Failed:
        other.stop()
        raise
    return other


def certificate(work):
    """Self-signed, and for this run alone."""
    certificate_path, key = work / "certificate.pem", work / "key.pem"
    if not key.exists():
        subprocess.run(
            [find("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", str(key), "-out", str(certificate_path)],
            check=True, capture_output=True)
    return str(certificate_path), str(key)

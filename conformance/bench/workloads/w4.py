"""W4: PUT of a large file: by WebDAV, and by S3 in the three ways in which SDKs send a body."""

import base64
import hashlib
import zlib

from content import LARGE
from doors import sign
from load.ask import Caller
from load.limits import Sink
from load.send import Span, send
from measure import LIMIT, Entry
from request import Failed, Request
from servers.cellgate import RELAXED, WORKSPACE
from sizes import bytes_text

# Of the Java SDK, and of botocore.
SIGNED_CHUNK = 128 << 10
TRAILER_CHUNK = 1 << 20
GOAL = ">= 500 MB/s"


class Source:
    """The file to send, with the sums of its chunks worked out before anything is timed."""

    def __init__(self, path):
        self.path, self.size = path, path.stat().st_size
        self.digests, self.crc32 = [], 0
        with open(path, "rb") as file:
            while chunk := file.read(SIGNED_CHUNK):
                self.digests.append(hashlib.sha256(chunk).hexdigest())
                self.crc32 = zlib.crc32(chunk, self.crc32)

    def spans(self, step):
        return [Span(offset, min(step, self.size - offset)) for offset in range(0, self.size, step)]


def whole(door, name, source):
    """One plain body; with S3 its signature leaves it out."""
    return door.put(name, source.size).head(), [Span(0, source.size)]


def signed_chunks(door, name, source):
    """STREAMING-AWS4-HMAC-SHA256-PAYLOAD: each chunk carries a signature."""
    stamp = door.signer.now()
    lengths = [len(f"{span.length:x}") + span.length for span in source.spans(SIGNED_CHUNK)] + [1]
    total = sum(length + len(";chunk-signature=") + 64 + 4 for length in lengths)
    path = door.path(name)
    extra = (("x-amz-decoded-content-length", str(source.size)), ("content-encoding", "aws-chunked"))
    headers = door.signer.headers("PUT", path, "", door.host, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", extra, stamp)
    previous = dict(headers)["authorization"].rpartition("=")[2]
    segments = []
    spans = [*source.spans(SIGNED_CHUNK), None]
    for span, digest in zip(spans, [*source.digests, sign.EMPTY]):
        previous = door.signer.chunk(stamp, previous, digest)
        length = span.length if span else 0
        end = b"\r\n" if segments else b""
        segments.append(end + f"{length:x};chunk-signature={previous}\r\n".encode())
        if span:
            segments.append(span)
    segments.append(b"\r\n")
    return Request("PUT", path, headers, size=total).head(), segments


def crc_trailer(door, name, source):
    """STREAMING-UNSIGNED-PAYLOAD-TRAILER: chunks without signatures, and the CRC32 behind them."""
    segments, total = [], 0
    for span in source.spans(TRAILER_CHUNK):
        line = (b"\r\n" if segments else b"") + f"{span.length:x}\r\n".encode()
        segments += [line, span]
        total += len(line) + span.length
    crc = base64.b64encode(source.crc32.to_bytes(4, "big")).decode()
    end = f"\r\n0\r\nx-amz-checksum-crc32:{crc}\r\n\r\n".encode()
    path = door.path(name)
    extra = (
        ("x-amz-decoded-content-length", str(source.size)),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
        ("content-encoding", "aws-chunked"),
    )
    headers = door.signer.headers("PUT", path, "", door.host, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", extra)
    return Request("PUT", path, headers, size=total + len(end)).head(), [*segments, end]


WAYS = {
    "S3": (("S3, unsigned payload", whole), ("S3, signed chunks", signed_chunks), ("S3, CRC32 trailer", crc_trailer)),
    "WebDAV": (("WebDAV", whole),),
}


def run(bench):
    source = Source(bench.work / "root" / "files" / LARGE)
    entries = []
    for server, door in bench.doors():
        for label, build in WAYS.get(door.protocol, ()):
            workspace = WORKSPACE if server is bench.gate else None
            entries.append(_entry(server, door, label, build, source, workspace))
    for door in bench.gate.relaxed if bench.gate else []:
        for label, build in WAYS.get(door.protocol, ())[:1]:
            entries.append(_entry(bench.gate, door, f"{label}, relaxed", build, source, RELAXED))
    sink = Sink(source.size)
    try:
        request = Request("PUT", "/", (("Host", "localhost"),), size=source.size)
        entries.append(Entry(LIMIT, "(client alone)", "", lambda: source.size / 1e6 / send(
            sink.port, request.head(), [Span(0, source.size)], source.path)[0]))
        bench.measure("W4", f"PUT {bytes_text(source.size)}", "MB/s", entries)
    finally:
        sink.close()


def _entry(server, door, label, build, source, workspace):
    name = f"put-{server.name.replace(' ', '-')}.bin"
    checked = []

    def call():
        head, segments = build(door, name, source)
        took, _, _ = send(server.port, head, segments, source.path)
        if not checked:
            check(server, door, name, source.path, source.size)
            checked.append(True)
        return source.size / took / 1e6

    def tidy():
        server.clear(name, workspace) if workspace else server.clear(name)

    return Entry(server.name, label, door.protocol, call, after=tidy, goal=GOAL if workspace == WORKSPACE else "")


def check(server, door, name, path, size):
    """Whether what was stored is what was sent: its ends and places in between."""
    caller = Caller(server.port)
    with open(path, "rb") as file:
        for part in range(9):
            first = max(0, min(size - 32, size * part // 8 - 16))
            file.seek(first)
            if caller.send(door.get_range(name, first, first + 31)).body != file.read(32):
                raise Failed(f"stored other bytes than were sent, at {first:,}")

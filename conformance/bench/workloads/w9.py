"""W9: a multipart upload whose parts arrive out of order, four at a time."""

import concurrent.futures
import random
import re
import time

from content import LARGE
from doors import sign
from load.ask import Caller
from load.send import Span, send
from measure import Entry
from request import Failed
from servers.cellgate import RELAXED, WORKSPACE
from sizes import bytes_text
from workloads.w4 import check

UPLOAD = re.compile(rb"<UploadId>([^<]+)</UploadId>")
STREAMS = 4
# Some servers keep a part waiting for those before it.
PATIENCE_S = 30


def run(bench):
    path = bench.work / "root" / "files" / LARGE
    size, part = bench.size.large_bytes, bench.size.part_bytes
    entries = [_entry(server, door, "S3", path, size, part, WORKSPACE if server is bench.gate else None)
               for server, door in bench.doors() if door.protocol == "S3"]
    for door in bench.gate.relaxed if bench.gate else []:
        if door.protocol == "S3":
            entries.append(_entry(bench.gate, door, "S3, relaxed", path, size, part, RELAXED))
    what = f"multipart {bytes_text(size)}, {size // part} x {bytes_text(part)} out of order"
    rows = bench.measure("W9", what, "MB/s", entries)
    bench.derive(rows, f"complete {size // part} parts", "complete_ms", "ms", {"S3": "<= 100 ms"})


def _entry(server, door, label, path, size, part, workspace):
    name = f"multipart-{server.name.replace(' ', '-')}.bin"
    checked = []

    def call():
        figures = upload(server, door, name, path, size, part)
        if not checked:
            check(server, door, name, path, size)
            checked.append(True)
        return figures

    def tidy():
        server.clear(name, workspace) if workspace else server.clear(name)

    return Entry(server.name, label, door.protocol, call, after=tidy)


def upload(server, door, name, path, size, part):
    caller = Caller(server.port, timeout_s=120)
    key = door.path(name)
    began = time.perf_counter()
    found = UPLOAD.search(caller.send(door.signed("POST", key, [("uploads", "")])).body)
    if not found:
        raise Failed("no upload id")
    upload_id = found.group(1).decode()
    numbers = list(range(1, size // part + 1))
    random.Random(9).shuffle(numbers)

    def one(number):
        query = [("partNumber", str(number)), ("uploadId", upload_id)]
        request = door.signed("PUT", key, query, sign.UNSIGNED, size=part)
        _, headers, _ = send(server.port, request.head(), [Span((number - 1) * part, part)], path, timeout_s=PATIENCE_S)
        return number, headers.get("etag", "")

    with concurrent.futures.ThreadPoolExecutor(STREAMS) as pool:
        waiting = [pool.submit(one, number) for number in numbers]
        try:
            tags = dict(done.result() for done in waiting)
        except Failed:
            for left in waiting:
                left.cancel()
            abort(caller, door, key, upload_id)
            raise
    listed = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>" for number, tag in sorted(tags.items())
    )
    body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
    request = door.signed("POST", key, [("uploadId", upload_id)], sign.UNSIGNED, before=body, refusal=b"<Error>")
    answer = caller.send(request)
    took = time.perf_counter() - began
    return size / took / 1e6, {"complete_ms": answer.times.total_ms}


def abort(caller, door, key, upload_id):
    """Leaves nothing behind of an upload that failed; a server that refuses this too keeps it."""
    try:
        caller.send(door.signed("DELETE", key, [("uploadId", upload_id)], expected=(200, 204)))
    except Failed:
        pass

"""Sends a large body from a file by sendfile: next to no work for the client."""

import os
import select
import socket
import time
from dataclasses import dataclass
from http.client import HTTPResponse

from request import Failed


@dataclass(frozen=True)
class Span:
    """Bytes of the file."""

    offset: int
    length: int


def send(port, head, segments, path, expected=(200, 201, 204), timeout_s=300):
    """Sends `head` and the segments, each bytes or a `Span`; answers seconds, headers and the body."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as connection, open(path, "rb") as file:
        began = time.perf_counter()
        try:
            connection.sendall(head, socket.MSG_MORE)
            for segment in segments:
                if isinstance(segment, Span):
                    _sendfile(connection, file, segment, timeout_s)
                else:
                    connection.sendall(segment, socket.MSG_MORE)
            # Sends what MSG_MORE held back.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            # A refusal may come before the body is through; it says more than the broken pipe.
            pass
        try:
            response = HTTPResponse(connection)
            response.begin()
            body = response.read()
        except Exception as error:
            raise Failed(f"PUT: {type(error).__name__}") from error
        took = time.perf_counter() - began
    if response.status not in expected:
        raise Failed(f"PUT answers {response.status}")
    return took, {name.lower(): value for name, value in response.getheaders()}, body


def _sendfile(connection, file, span, timeout_s):
    offset, left = span.offset, span.length
    while left:
        try:
            sent = os.sendfile(connection.fileno(), file.fileno(), offset, left)
        except BlockingIOError:
            # A socket with a timeout does not block.
            _writable(connection, timeout_s)
            continue
        if not sent:
            raise Failed("the file is shorter than it was")
        offset, left = offset + sent, left - sent


def _writable(connection, timeout_s):
    poll = select.poll()
    poll.register(connection, select.POLLOUT)
    if not poll.poll(timeout_s * 1000):
        raise Failed("the server takes no more")

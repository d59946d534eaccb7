"""One request at a time over one kept connection, for checks, listings and renames."""

import http.client
import time
from dataclasses import dataclass

from request import Failed


@dataclass(frozen=True)
class Times:
    first_ms: float
    """Until the first byte of the body."""
    total_ms: float


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict
    body: bytes
    times: Times


class Caller:
    def __init__(self, port, timeout_s=120):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)

    def send(self, request, content=b""):
        """The answer; `Failed` when it is not what the request expects."""
        try:
            answer = self._exchange(request, content)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            # The server ended a connection that had been idle: once more, over a new one.
            self.close()
            answer = self._try_again(request, content)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Failed(f"{request.method}: {type(error).__name__}") from error
        if answer.status not in request.expected:
            raise Failed(f"{request.method} answers {answer.status}")
        if request.refusal and request.refusal in answer.body:
            raise Failed(f"{request.method} answers with an error message")
        return answer

    def _try_again(self, request, content):
        try:
            return self._exchange(request, content)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Failed(f"{request.method}: {type(error).__name__}") from error

    def _exchange(self, request, content):
        if self.connection.sock is None:
            self.connection.connect()
        began = time.perf_counter()
        self.connection.sock.sendall(request.head() + request.before + content + request.after)
        response = http.client.HTTPResponse(self.connection.sock, method=request.method)
        response.begin()
        pieces, first = [], None
        while piece := response.read1(1 << 20):
            first = first or time.perf_counter()
            pieces.append(piece)
        ended = time.perf_counter()
        closing = response.will_close
        headers = {name.lower(): value for name, value in response.getheaders()}
        response.close()
        if closing:
            self.close()
        times = Times(((first or ended) - began) * 1e3, (ended - began) * 1e3)
        return Answer(response.status, headers, b"".join(pieces), times)

    def close(self):
        self.connection.close()

"""An HTTP request as bytes, so that every load generator sends exactly the same."""

from dataclasses import dataclass


class Failed(Exception):
    """A measurement that must not count: its text says why, in few words."""


@dataclass(frozen=True)
class Request:
    """`before` and `after` enclose a content of `size` bytes that the load generator adds."""

    method: str
    target: str
    headers: tuple
    before: bytes = b""
    after: bytes = b""
    size: int = 0
    expected: tuple = (200,)
    # What a 2xx answer must not contain: Pydio 8 reports most errors as 200.
    refusal: bytes = b""

    def head(self):
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        length = len(self.before) + self.size + len(self.after)
        if length or self.method in ("PUT", "POST"):
            lines.append(f"Content-Length: {length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

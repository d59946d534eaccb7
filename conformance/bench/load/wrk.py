"""wrk, sending requests that were built before."""

import pathlib
import re
import struct
import subprocess

from processes import find
from request import Failed

SCRIPT = pathlib.Path(__file__).with_name("replay.lua")
TROUBLE = ("connect", "read", "write", "timeout", "status", "refused")


class Script:
    """Requests in a file, ready to be sent. A script may be sent more than once."""

    def __init__(self, folder, name, requests, content=None):
        self.path = folder / f"{name}.requests"
        self.content = folder / f"{name}.content" if content is not None else None
        self.refusal = next((request.refusal.decode() for request in requests if request.refusal), "-")
        with open(self.path, "wb") as file:
            for request in requests:
                before = request.head() + request.before
                after = request.after
                file.write(struct.pack("<I", len(before)) + before + struct.pack("<I", len(after)) + after)
        if self.content:
            self.content.write_bytes(content)

    def send(self, port, connections, seconds, stop_after=0):
        """Requests per second and details. One answer that is not 2xx, or one broken connection, and the
        whole sample fails: what is fast because it refuses must not win."""
        command = [find("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(SCRIPT),
                   f"http://127.0.0.1:{port}/", "--", str(self.path), str(self.content or "-"), self.refusal,
                   str(stop_after)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=seconds * 3 + 60)
        except subprocess.TimeoutExpired:
            raise Failed("the load does not end") from None
        line = re.search(r"^BENCH (.*)$", done.stdout, re.M)
        if not line:
            raise Failed(f"wrk: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")
        figures = {name: int(value) for name, value in (pair.split("=") for pair in line.group(1).split())}
        bad = [f"{figures[name]} x {name}" for name in TROUBLE if figures.get(name)]
        if bad:
            raise Failed(f"of {figures['requests']:,} requests: {', '.join(bad)}")
        if not figures["requests"]:
            raise Failed("no answers")
        return figures["requests"] / (figures["duration_us"] / 1e6), figures

    def remove(self):
        for path in (self.path, self.content):
            if path:
                path.unlink(missing_ok=True)

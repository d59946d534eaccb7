"""Child processes: found, started, measured, and always ended."""

import ctypes
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import time

from request import Failed

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PR_SET_PDEATHSIG = 1


def find(program):
    """A program in the folders of BENCH_PATH, then of PATH, then where distributions keep servers."""
    folders = [os.environ.get("BENCH_PATH", ""), os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin"]
    return shutil.which(program, path=os.pathsep.join(filter(None, folders)))


def output(*command):
    """What a program prints, on either stream; empty when it does not run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        return (done.stdout + done.stderr).strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def free_port():
    """Below the ports that the kernel gives to clients: who asks one of those whether somebody listens
    may be connected to itself, and keep the server from listening."""
    for _ in range(1000):
        port = random.randrange(20_000, 32_000)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise SystemExit("no free port between 20000 and 32000")


def _end_with_parent():
    # A bench that is killed outright cannot stop anything any more.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """A server's process, in a group of its own: a Ctrl-C reaches the bench alone, which then stops it."""

    def __init__(self, command, log, env=None):
        self.log = log
        with open(log, "ab") as file:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
                env={**os.environ, **(env or {})}, preexec_fn=_end_with_parent)

    def wait_for(self, port, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise Failed(f"does not start: {self.last_words()}")
            try:
                socket.create_connection(("127.0.0.1", port), 0.5).close()
                return
            except OSError:
                time.sleep(0.001)
        raise Failed(f"does not listen after {seconds} s: {self.last_words()}")

    def last_words(self):
        lines = pathlib.Path(self.log).read_text(errors="replace").strip().splitlines()
        return lines[-1][:120] if lines else "no message"

    def pids(self):
        """The process and all below it."""
        found, left = [], [self.process.pid]
        while left:
            pid = left.pop()
            found.append(pid)
            for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    left += [int(child) for child in task.read_text().split()]
                except OSError:
                    pass
        return found

    def resident_kib(self):
        """Resident memory; with several processes, what they share counts once each."""
        total = 0
        for pid in self.pids():
            try:
                text = pathlib.Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            found = re.search(r"VmRSS:\s+(\d+)", text)
            total += int(found.group(1)) if found else 0
        return total

    def cpu_ticks(self):
        total = 0
        for pid in self.pids():
            try:
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            total += int(fields[11]) + int(fields[12])
        return total

    def end(self, number=signal.SIGTERM):
        try:
            if self.process.poll() is None:
                os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def stop(self):
        for number, seconds in ((signal.SIGTERM, 15), (signal.SIGKILL, 5)):
            self.end(number)
            try:
                self.process.wait(seconds)
                return
            except subprocess.TimeoutExpired:
                pass


def settle(servers, limit_s=20):
    """Waits until no server works any more: cleaning up after one sample must not slow the next."""
    end = time.monotonic() + limit_s
    before = sum(server.child.cpu_ticks() for server in servers if server.child)
    while time.monotonic() < end:
        time.sleep(0.06)
        now = sum(server.child.cpu_ticks() for server in servers if server.child)
        if now - before <= 1:
            return
        before = now

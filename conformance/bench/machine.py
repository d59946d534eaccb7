"""What was measured on, without names or paths of the machine."""

import os
import pathlib
import platform
import re
import time

from processes import find, output


def facts(work, syncs_per_s):
    """Text by name, in the order in which it is printed."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{_memory_gib():.0f} GiB",
        "system": f"{_system()}, Linux {platform.release()}",
        "file system": _file_system(work),
        "fdatasync": f"{syncs_per_s:,.0f}/s by one writer of 4 KiB blocks",
        "wrk": _first_word(output(find("wrk") or "wrk", "-v").removeprefix("wrk ")),
        "curl": _first_word(output(find("curl") or "curl", "--version").removeprefix("curl ")),
        "python": platform.python_version(),
    }


def _first_word(text):
    return text.split()[0] if text.split() else "unknown"


def _field(path, name):
    found = re.search(rf"^{name}\s*[:=]\s*\"?([^\"\n]*)", pathlib.Path(path).read_text(), re.M)
    return found.group(1).strip() if found else "unknown"


def _processor():
    return _field("/proc/cpuinfo", "model name")


def _memory_gib():
    return int(_field("/proc/meminfo", "MemTotal").split()[0]) / (1 << 20)


def _system():
    try:
        return _field("/etc/os-release", "PRETTY_NAME")
    except OSError:
        return "unknown distribution"


def _file_system(work):
    """The type of the file system with the longest mount point above the folder."""
    best = ("", "unknown")
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, mount, kind, *_ = line.split()
        inside = str(work) == mount or str(work).startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(best[0]):
            best = (mount, kind)
    note = " (in memory: syncing costs nothing)" if best[1] == "tmpfs" else ""
    return best[1] + note


def fdatasync_rate(work, seconds=2):
    """How often one writer can append 4 KiB and sync: what a durable server without batches can reach."""
    path, block, n = pathlib.Path(work) / "fdatasync", b"x" * 4096, 0
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        os.write(descriptor, block)
        os.fdatasync(descriptor)
        n += 1
    os.close(descriptor)
    path.unlink()
    return n / seconds

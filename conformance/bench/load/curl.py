"""curl to /dev/null: how fast one large body, or four parts of it at once, come in."""

import subprocess
import time

from processes import find
from request import Failed


def fetch(request, port, size, streams, tls):
    """Bytes per second. Streams share the file: each takes its part by Range, as download managers do."""
    scheme = "https" if tls else "http"
    command = [find("curl"), "-sS", "-o", "/dev/null", "-w", "%{http_code} %{size_download}", "--http1.1"]
    # One cipher for all servers: they would choose different ones.
    command += ["-k", "--tlsv1.3", "--tls13-ciphers", "TLS_AES_128_GCM_SHA256"] if tls else []
    for name, value in request.headers:
        command += ["-H", f"{name}: {value}"]
    command.append(f"{scheme}://127.0.0.1:{port}{request.target}")
    step = size // streams
    began = time.perf_counter()
    running = []
    for n in range(streams):
        part = ["-r", f"{n * step}-{size - 1 if n == streams - 1 else (n + 1) * step - 1}"] if streams > 1 else []
        running.append(subprocess.Popen(command + part, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    answers = [process.communicate() for process in running]
    took = time.perf_counter() - began
    total = 0
    for out, err in answers:
        status, received = (out.split() + ["0", "0"])[:2]
        if status not in ("200", "206"):
            raise Failed(f"GET answers {status}: {err.strip()[:80]}")
        total += int(float(received))
    if total != size:
        raise Failed(f"{total:,} of {size:,} bytes came")
    return size / took

#!/usr/bin/env python3
"""cellgate beside its peers: the same work, on the same machine, in the same run. See README.md here."""

import argparse
import importlib
import os
import pathlib
import resource
import shutil
import signal
import sys
import tempfile
import time

import content
import machine
import report
from measure import Bench
from processes import find
from request import Failed
from servers import PEERS, Cellgate
from sizes import SIZES

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORKLOADS = [f"W{n}" for n in range(1, 11)]
TOOLS = {"wrk": "W1, W2, W5, W8 and to fill cellgate", "curl": "W3", "openssl": "the certificate of W3"}


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target/release/cellgate",
                        help="the release build to measure")
    parser.add_argument("--size", choices=SIZES, default="small", help="small: does it work; full: figures")
    parser.add_argument("--only", type=names, default=WORKLOADS, metavar="W1,W6", help="workloads")
    parser.add_argument("--peers", type=names, metavar="nginx,dufs",
                        help="peers by their names in the table; all that are found otherwise, none with `none`")
    parser.add_argument("--repeats", type=int, help="samples of each figure")
    parser.add_argument("--seconds", type=int, help="length of one sample of many small requests")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write every sample")
    parser.add_argument("--markdown", type=pathlib.Path, metavar="FILE", help="write the table as a document")
    parser.add_argument("--work", type=pathlib.Path, metavar="FOLDER",
                        help="where to make the temporary folder; its file system is what is measured")
    chosen = parser.parse_args()
    for name in chosen.only:
        if name not in WORKLOADS:
            parser.error(f"unknown workload {name}: there are {', '.join(WORKLOADS)}")
    known = [peer.name for peer in PEERS]
    for name in chosen.peers or []:
        if name not in [*known, "none"]:
            parser.error(f"unknown peer {name}: there are {', '.join(known)}")
    if any(number is not None and number < 1 for number in (chosen.repeats, chosen.seconds)):
        parser.error("repeats and seconds are 1 at least")
    for file in (chosen.json, chosen.markdown):
        # Half an hour later is no time to learn this.
        if file and not file.absolute().parent.is_dir():
            parser.error(f"{file}: there is no such folder")
    for tool, use in TOOLS.items():
        if not find(tool):
            parser.error(f"{tool} is not installed: it is needed for {use}")
    return chosen


def names(text):
    return [name.strip() for name in text.split(",") if name.strip()]


def main():
    chosen = options()
    Cellgate.binary = str(chosen.binary.resolve())
    if Cellgate.missing():
        raise SystemExit("no release build: cargo build --release --ignore-rust-version -p cellgate, or --binary")
    # Idle connections of client and servers.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))

    size = SIZES[chosen.size]
    size.repeats = chosen.repeats or size.repeats
    size.seconds = chosen.seconds or size.seconds
    work = pathlib.Path(tempfile.mkdtemp(prefix="cellgate-bench-", dir=chosen.work))
    began = time.time()
    bench, complete = None, False
    running = []
    try:
        # Apache's own user passes through it.
        os.chmod(work, 0o755)
        bench = prepare(chosen, size, work, running)
        for name in chosen.only:
            importlib.import_module(f"workloads.{name.lower()}").run(bench)
        complete = True
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
    finally:
        # A second Ctrl-C must not leave anything behind either.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for server in running:
            server.end()
        for server in running:
            server.stop()
        shutil.rmtree(work, ignore_errors=True)
        if bench and bench.rows:
            result = report.Result(bench, chosen.size, command(chosen), began, time.time(), complete)
            publish(result, chosen)
    return 0 if complete else 130


def publish(result, chosen):
    print()
    print(report.terminal(result))
    if chosen.json:
        chosen.json.write_text(report.json_text(result))
    if chosen.markdown:
        chosen.markdown.write_text(report.markdown(result))


def prepare(chosen, size, work, running):
    """Makes the files and starts the servers. What cannot be started is not measured, and said."""
    missing, peers = {}, []
    wanted = [peer for peer in PEERS if not chosen.peers or peer.name in chosen.peers]
    print(f"making files below {work}", flush=True)
    syncs_per_s = machine.fdatasync_rate(work)
    facts = machine.facts(work, syncs_per_s)
    content.make(work / "root" / "files", size)
    gate = Cellgate(work)
    running.append(gate)
    gate.start()
    content.fill(gate, work, size)
    for kind in wanted:
        reason = kind.missing()
        if not reason:
            peer = kind(work)
            running.append(peer)
            try:
                peer.start()
                peers.append(peer)
            except Failed as error:
                reason = str(error)
        if reason:
            missing[kind.name] = reason
            print(f"{kind.name}: {reason}", flush=True)
    return Bench(work, size, gate, peers, missing, facts, syncs_per_s)


def command(chosen):
    """As somebody else would type it: without paths of this machine."""
    words = ["python3 conformance/bench/run.py", f"--size {chosen.size}"]
    if chosen.only != WORKLOADS:
        words.append(f"--only {','.join(chosen.only)}")
    if chosen.peers:
        words.append(f"--peers {','.join(chosen.peers)}")
    words += [f"--{name} {value}" for name in ("repeats", "seconds") if (value := getattr(chosen, name))]
    return " ".join(words)


if __name__ == "__main__":
    sys.exit(main())

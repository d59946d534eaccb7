"""The results: a table for the terminal, a document, and JSON with every sample."""

import datetime
import json
import textwrap
from dataclasses import asdict, dataclass

from doors.door import LIMIT_S
from measure import LIMIT, SLOW_S, shown
from servers import PEERS, Cellgate

GATE = "cellgate"
HEADINGS = ("workload", "door", "cellgate", "goal", "ratio", "peers")
NOTES = """\
- The **ratio** is cellgate's speed divided by that of the fastest peer of the same workload, whatever its
  protocol: above 1 cellgate is ahead. Where less is better (times, memory), it is turned round.
- **Peers** stand in the row of the protocol they speak, the best first. `not found`: not installed on this machine.
- Each figure is the **median** of {repeats} samples, taken in turns: each server once, then each again. A sample
  with a single error (an answer that is not 2xx, a broken connection, a body too short) does not count; where
  most fail, the figure is `failed`, with the last reason. A peer that takes longer than {slow} s for one sample of
  a large body or listing is measured once (`1 sample`), and a listing ends after {limit_s} s.
- Client and servers share the machine's cores. **{limit}** is what the load generator reaches against a server
  that does nothing; a figure near it says little about the server. Files come from the page cache.
- cellgate's writes are **durable** before they are answered; `relaxed` is a datasource with `--relaxed`, which
  does not sync contents. Small contents are in the index, whose commits are synced in either case. **None of
  the peers syncs anything**: they answer when the bytes are in the page cache.
- dufs and s3s-fs leave Nagle's algorithm on: with few connections, an answer that is written in two pieces
  waits some 40 ms for the client's acknowledgement of the first.
- Each server is as its defaults are, apart from logs (off), connection limits (high), keep-alive (on) and
  authentication (on, with the cheapest form of password file). TLS is 1.3 with AES-128-GCM everywhere.
- W6 and W7: S3 has no folders, so its listing is of all keys below a prefix, and it has no rename. W8 counts
  rounds, not requests: in S3 a round has six, elsewhere five.
- W10: where a server has several processes, their memory is added up, and what they share counts once each.
- Pydio 8, Seafile and Cells stand without peers: their own servers are PHP, C, and services with databases."""


@dataclass
class Result:
    bench: object
    size: str
    command: str
    began: float
    ended: float
    complete: bool

    def day(self):
        return datetime.datetime.fromtimestamp(self.began, datetime.timezone.utc).date().isoformat()

    def minutes(self):
        return (self.ended - self.began) / 60

    def versions(self):
        """Of cellgate and of each peer; why not, for one that is missing."""
        found = {GATE: Cellgate.version()}
        running = {peer.name: peer for peer in self.bench.peers}
        for peer in PEERS:
            if peer.name in running:
                found[peer.name] = peer.version()
            elif peer.name in self.bench.missing:
                found[peer.name] = self.bench.missing[peer.name]
        return found


def lines(result):
    """The table, row by row, as texts."""
    rows = result.bench.rows
    cases = list(dict.fromkeys((row.workload, row.case) for row in rows))
    for workload, case in cases:
        here = [row for row in rows if (row.workload, row.case) == (workload, case)]
        best = _best(here)
        protocols = set()
        for number, door in enumerate(dict.fromkeys(row.door for row in here)):
            group = [row for row in here if row.door == door]
            # Peers that are not there are named once, in the first row of their protocol.
            protocol = group[0].protocol
            missing = {} if protocol in protocols else result.bench.missing
            protocols.add(protocol)
            gate = next((row for row in group if row.server == GATE), None)
            peers = [row for row in group if row.server != GATE]
            yield (
                f"{workload} {case}" if number == 0 else "",
                door,
                shown(gate) if gate else "",
                gate.goal if gate else "",
                _ratio(gate, best),
                _peers(peers, protocol, missing),
            )


def _best(rows):
    able = [row for row in rows if row.server not in (GATE, LIMIT) and row.median]
    if not able:
        return None
    return min(able, key=lambda row: row.median) if able[0].lower else max(able, key=lambda row: row.median)


def _ratio(gate, best):
    if not gate or not best or not gate.median:
        return ""
    speed = best.median / gate.median if gate.lower else gate.median / best.median
    return f"{speed:.2f} ({best.server})"


def _peers(rows, protocol, missing):
    able = sorted((row for row in rows if row.median), key=lambda row: row.median, reverse=not (rows and rows[0].lower))
    unable = [row for row in rows if not row.median]
    texts = [f"{row.server} {shown(row)}" for row in able]
    texts += [f"{row.server}: {shown(row)}" for row in unable]
    texts += [f"{peer.name}: not found" for peer in PEERS if peer.name in missing and peer.protocol == protocol]
    return "; ".join(texts)


def terminal(result):
    table = [HEADINGS, *lines(result)]
    widths = [min(max(len(row[n]) for row in table), 44) for n in range(len(HEADINGS) - 1)]
    text = []
    for row in table:
        wrapped = [textwrap.wrap(cell, width) or [""] for cell, width in zip(row, [*widths, 100])]
        for n in range(max(map(len, wrapped))):
            cells = [cell[n] if n < len(cell) else "" for cell in wrapped]
            text.append("  ".join(f"{cell:<{width}}" for cell, width in zip(cells, [*widths, 0])).rstrip())
    text.append(f"\n{result.minutes():.0f} minutes{'' if result.complete else ', not complete'}")
    return "\n".join(text)


def markdown(result):
    machine = "\n".join(f"| {name} | {text} |" for name, text in result.bench.machine.items())
    versions = "\n".join(f"| {name} | {text} |" for name, text in result.versions().items())
    table = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines(result))
    notes = NOTES.format(repeats=result.bench.size.repeats, limit=LIMIT.capitalize(), slow=SLOW_S, limit_s=LIMIT_S)
    state = "" if result.complete else "\n**This run was interrupted: rows are missing.**\n"
    return f"""# Bench

cellgate beside its peers: the same work, on the same machine, in the same run. Written by
`{result.command}` on {result.day()}, in {result.minutes():.0f} minutes;
[conformance/bench](../conformance/bench/README.md) says how to repeat it. The goals are those of
[architecture.md](architecture.md#budgets).
{state}
| {' | '.join(HEADINGS)} |
|{'---|' * len(HEADINGS)}
{table}

## How to read it

{notes}

## Machine

| | |
|---|---|
{machine}

## Versions

| | |
|---|---|
{versions}
"""


def json_text(result):
    document = {
        "command": result.command,
        "date": result.day(),
        "minutes": round(result.minutes(), 1),
        "complete": result.complete,
        "size": {"name": result.size, **asdict(result.bench.size)},
        "machine": result.bench.machine,
        "versions": result.versions(),
        "rows": [{**asdict(row), "median": row.median} for row in result.bench.rows],
    }
    return json.dumps(document, indent=1) + "\n"

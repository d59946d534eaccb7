"""Samples: taken in turns, judged, summed up."""

import os
import statistics
import subprocess
import time
from dataclasses import dataclass, field

from doors.door import Absent
from processes import settle
from request import Failed

# A peer that needs longer than this for one sample gets no more of them: it is not the best one, and a run
# must end.
SLOW_S = 6
LIMIT = "client limit"


@dataclass
class Entry:
    """One thing to measure in a case. `call` answers a figure, or a figure and details."""

    server: str
    door: str
    protocol: str
    call: object
    before: object = None
    after: object = None
    goal: str = ""


@dataclass
class Row:
    workload: str
    case: str
    door: str
    protocol: str
    server: str
    unit: str
    lower: bool
    """Whether less is better."""
    goal: str = ""
    samples: list = field(default_factory=list)
    failures: list = field(default_factory=list)
    note: str = ""

    @property
    def median(self):
        """Of the samples that count; nothing when most failed."""
        if not self.samples or len(self.failures) >= len(self.samples):
            return None
        return statistics.median(sample["value"] for sample in self.samples)


class Bench:
    """One run: the servers, the sizes, and the rows so far."""

    def __init__(self, work, size, gate, peers, missing, machine, syncs_per_s):
        self.work, self.size, self.gate, self.peers = work, size, gate, peers
        self.missing, self.machine, self.syncs_per_s = missing, machine, syncs_per_s
        self.rows = []

    @property
    def servers(self):
        return ([self.gate] if self.gate else []) + self.peers

    def doors(self):
        """Every server with every one of its doors."""
        return [(server, door) for server in self.servers for door in server.doors]

    def measure(self, workload, case, unit, entries, lower=False):
        rows = [Row(workload, case, entry.door, entry.protocol, entry.server, unit, lower, entry.goal)
                for entry in entries]
        self.rows += rows
        began, pairs = time.monotonic(), list(zip(entries, rows))
        over = set()
        for turn in range(self.size.repeats):
            # Everybody comes first once: what the one before left in caches favours nobody.
            first = turn % len(pairs) if pairs else 0
            for number in [*range(first, len(pairs)), *range(first)]:
                entry, row = pairs[number]
                if number not in over and not self._sample(entry, row):
                    over.add(number)
        print(f"{workload} {case} ({time.monotonic() - began:.0f} s)", flush=True)
        for row in rows:
            print(f"    {row.server:<16} {row.door:<28} {shown(row)}", flush=True)
        return rows

    def _sample(self, entry, row):
        """Takes one sample; answers whether another one is wanted."""
        began = None
        try:
            if entry.before:
                entry.before()
            # What one server left in the page cache would be written while the next one syncs.
            os.sync()
            settle(self.servers)
            began = time.monotonic()
            result = entry.call()
            value, details = result if isinstance(result, tuple) else (result, {})
            row.samples.append({"value": value, **details})
        except Absent as reason:
            row.note = str(reason)
            return False
        except (Failed, OSError, subprocess.SubprocessError) as error:
            row.failures.append(str(error) or type(error).__name__)
        finally:
            took = time.monotonic() - began if began else 0
            self._tidy(entry, row)
        tried = len(row.samples) + len(row.failures)
        if took > SLOW_S and tried < self.size.repeats and (entry.server != "cellgate" or row.failures):
            row.note = f"{tried} sample{'s' if tried > 1 else ''}"
            return False
        return len(row.failures) < 2

    def _tidy(self, entry, row):
        try:
            if entry.after:
                entry.after()
        except (Failed, OSError) as error:
            row.failures.append(f"tidying up: {error}")

    def derive(self, rows, case, key, unit, goals=None, lower=True):
        """Another case, from a detail of the samples of one that was measured."""
        for row in rows:
            samples = [{"value": sample[key]} for sample in row.samples if key in sample]
            if samples or row.failures:
                goal = (goals or {}).get(row.door, "") if row.server == "cellgate" else ""
                self.rows.append(Row(row.workload, case, row.door, row.protocol, row.server, unit, lower, goal,
                                     samples, list(row.failures), row.note))


def figure(value, unit):
    if unit in ("ms", "MB") and value < 100:
        return f"{value:.1f} {unit}"
    return f"{value:,.0f}/s" if unit == "/s" else f"{value:,.0f} {unit}"


def shown(row):
    """The median, or why there is none."""
    if row.median is not None:
        text = figure(row.median, row.unit)
        tried = len(row.samples) + len(row.failures)
        if row.failures:
            text += f" ({len(row.failures)} of {tried} failed: {row.failures[-1]})"
        elif row.note:
            text += f" ({row.note})"
        return text
    if row.failures:
        return f"failed: {row.failures[-1]}"
    return row.note or "not measured"

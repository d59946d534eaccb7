#!/usr/bin/env python3
"""versitygw's own tests for S3 servers, `versitygw test full-flow`, against cellgate.

Its output names a case when it begins, and when it passed or failed. Those of `excluded.toml` have to fail,
for the reason given there; all others have to pass. An argument runs these cases alone.
"""

import json
import os
import re
import subprocess
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path

# In buckets without versions, these are no part of a run with versions.
WITHOUT_VERSIONS = ["ListObjectVersions_VD_success", "PutObject_racey_success"]

PATIENCE = 420
WORD = re.compile(r"\x1b\[3\dm(?:(RUN|PASS|FAIL|SKIP) +\x1b\[0m)?(\w+)(?:: )?([^\n\x1b]*)")


def versitygw(*arguments):
    """Runs its tests; gives what each case ended with, and how long they took."""
    key = ["--access", os.environ["CELLGATE_KEY_ID"], "--secret", os.environ["CELLGATE_KEY_SECRET"]]
    command = ["versitygw", "test", *key, "--endpoint", os.environ["CELLGATE_URL"], *arguments]
    begun = time.monotonic()
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE, check=False)
    output = ended.stdout.decode(errors="replace")
    sys.stderr.write(output)
    return read(output), time.monotonic() - begun


def read(output):
    """Case by case `None` for a pass, else what it said.

    A line that begins with a colour and no word tells of a bucket that cannot be deleted, and the next word
    follows on the same line. Some names are of two cases.
    """
    begun, passed, said = Counter(), Counter(), {}
    for word, name, rest in WORD.findall(output):
        if word == "RUN":
            begun[name] += 1
        elif word == "PASS":
            passed[name] += 1
        elif name in begun:
            said.setdefault(name, rest or word)
    ended = {name: None for name in begun if passed[name] == begun[name]}
    return {name: said.get(name, "does not end") for name in begun} | ended


def exclusions():
    text = (Path(__file__).parent / "excluded.toml").read_text()
    reasons = {}
    for entry in tomllib.loads(text)["excluded"]:
        for name in entry["cases"]:
            assert name not in reasons, f"excluded.toml: {name} is listed twice"
            reasons[name] = entry["why"]
    return reasons


def report(case, status, seconds, detail):
    line = {"client": "versitygw", "case": case, "status": status, "ms": int(seconds * 1000), "detail": detail}
    print(json.dumps(line), flush=True)


def main():
    excluded = exclusions()
    if sys.argv[1:]:
        results, took = {}, 0
        for name in sys.argv[1:]:
            found, seconds = versitygw(name, "--versioning-enabled")
            results |= found
            took += seconds
        excluded = {name: why for name, why in excluded.items() if name in results}
    else:
        results, took = versitygw("full-flow", "--versioning-enabled", "--parallel")
        for name in WITHOUT_VERSIONS:
            found, seconds = versitygw(name)
            results |= found
            took += seconds
    each = took / max(len(results), 1)
    kept_out = {}
    for name, said in sorted(results.items()):
        why = excluded.pop(name, None)
        if said is None and why is None:
            report(name, "pass", each, "")
        elif said is None:
            report(name, "fail", each, f"passes: take it off excluded.toml ({why})")
        elif why is None:
            report(name, "fail", each, said)
        else:
            kept_out.setdefault(why, []).append(name)
    for name in excluded:
        report(name, "fail", 0, "there is no such case: take it off excluded.toml")
    for why, names in kept_out.items():
        report(f"{len(names)} excluded", "skip", 0, f"{why}: {', '.join(names)}")


main()

#!/usr/bin/env python3
"""Runs ceph/s3-tests, a suite for S3 servers, against the built gateway, and writes down how it went.

    git clone https://github.com/ceph/s3-tests
    python3 -m venv venv && venv/bin/pip install -r s3-tests/requirements.txt pytest-xdist
    venv/bin/python conformance/suites/ceph.py s3-tests --table docs/s3-tests.md

`ceph.toml` says what is left out, and why: whole modules and markers, which are not run, and single cases,
which are run and have to fail. The exit status is not zero when anything else fails, or one of those passes.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
ADMIN_PASSWORD = "secret-admin"
# Sections of the suite's configuration, and the users that stand for them here.
USERS = {
    "s3 main": "main",
    "s3 alt": "alt",
    "s3 tenant": "tenant",
    "iam": "iam",
    "iam root": "iamroot",
    "iam alt root": "iamaltroot",
}


class Exclusions:
    def __init__(self, path):
        self.groups = tomllib.loads(path.read_text())["excluded"]
        self.cases = {}
        for group in self.groups:
            for case in group.get("cases", []):
                assert case not in self.cases, f"{path.name}: {case} is listed twice"
                self.cases[case] = group["why"]

    def of_group(self, module, markers):
        """Why a case is not run at all."""
        for group in self.groups:
            if module in group.get("modules", []) or not markers.isdisjoint(group.get("markers", [])):
                return group["why"]
        return None


# As a plugin of pytest (`-p ceph`): leaves cases out, and notes each result in a file.


def module_of(nodeid):
    return Path(nodeid.split("::")[0]).stem


def pytest_collection_modifyitems(config, items):
    exclusions = Exclusions(HERE / "ceph.toml")
    kept, left_out = [], []
    for item in items:
        markers = {mark.name for mark in item.iter_markers()}
        why = exclusions.of_group(module_of(item.nodeid), markers)
        if why is None:
            kept.append(item)
        else:
            left_out.append((item.nodeid, why))
    items[:] = kept
    if os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0":
        with open(os.environ["CEPH_RESULTS"] + ".excluded", "w") as file:
            json.dump(left_out, file)


def pytest_runtest_logreport(report):
    if "PYTEST_XDIST_WORKER" in os.environ or (report.when != "call" and report.outcome == "passed"):
        return
    said = (report.longreprtext or "").strip().splitlines()
    errors = [line[1:].strip() for line in said if line.startswith("E ")]
    line = {"case": report.nodeid, "outcome": report.outcome, "said": (errors or said or [""])[0]}
    with open(os.environ["CEPH_RESULTS"], "a") as file:
        file.write(json.dumps(line) + "\n")


# As a program.


class Gateway:
    def __init__(self, binary, database, folder):
        self.binary = binary
        self.environment = {
            "PATH": os.environ["PATH"],
            "CELLGATE_DATA": str(folder / "data"),
            "CELLGATE_DATABASE": database,
            "CELLGATE_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "CELLGATE_LISTEN": "127.0.0.1:0",
            "CELLGATE_S3_CREATE_BUCKETS": "everyone",
        }
        self.log = open(folder / "gateway.log", "w")
        self.server = subprocess.Popen(
            [binary, "serve"], env=self.environment, stdout=subprocess.PIPE, stderr=self.log, cwd=folder, text=True
        )
        self.port = int(self.server.stdout.readline().strip().rpartition(":")[2])

    def run(self, *arguments):
        command = [self.binary, *arguments]
        ended = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, f"cellgate {' '.join(arguments)}: {ended.stderr}"
        return ended.stdout

    def user(self, login, *options):
        self.run("user", "create", login, "--no-password", "--name", login, *options)
        printed = self.run("key", "create", login)
        words = dict(line.split(None, 1) for line in printed.splitlines() if len(line.split(None, 1)) == 2)
        return words["id"], words["secret"]


def configuration(gateway):
    lines = ["[DEFAULT]", "host = 127.0.0.1", f"port = {gateway.port}", "is_secure = False", "ssl_verify = False"]
    lines += ["[fixtures]", "bucket prefix = s3t-{random}-"]
    for section, login in USERS.items():
        key, secret = gateway.user(login)
        lines += [f"[{section}]", f"access_key = {key}", f"secret_key = {secret}", f"user_id = {login}"]
        lines += [f"display_name = {login}", f"email = {login}@example.com", "api_name = us-east-1", "tenant = t"]
    return "\n".join(lines) + "\n"


def run(options):
    """Every case that is run, with its outcome, and those that are not, with the reason."""
    checkout = Path(options.checkout).resolve()
    binary = str(Path(options.binary).resolve())
    with tempfile.TemporaryDirectory(prefix="cellgate-ceph-") as folder:
        folder = Path(folder)
        gateway = Gateway(binary, options.database, folder)
        try:
            (folder / "s3tests.conf").write_text(configuration(gateway))
            results = folder / "results"
            results.touch()
            environment = {
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "PYTHONPATH": str(HERE),
                "S3TEST_CONF": str(folder / "s3tests.conf"),
                "CEPH_RESULTS": str(results),
            }
            command = [sys.executable, "-m", "pytest", "-p", "ceph", "-q", "--tb=short", "-p", "no:cacheprovider"]
            command += ["-n", str(options.jobs), *(["-k", options.only] if options.only else [])]
            with open(options.log, "w") as log:
                subprocess.run(
                    [*command, "s3tests/functional"], cwd=checkout, env=environment, stdout=log, stderr=log, check=False
                )
            ended = [json.loads(line) for line in results.read_text().splitlines()]
            left_out = json.loads(Path(f"{results}.excluded").read_text())
        finally:
            gateway.server.terminate()
            gateway.server.wait(30)
    return ended, left_out


def sort_out(ended, left_out, exclusions, complete):
    """For each module how many passed, are excluded and failed, and what is not as it should be."""
    said = {}
    for line in ended:
        # A case has several lines when tidying up after it failed.
        if line["outcome"] == "failed" or line["case"] not in said:
            said[line["case"]] = line["said"] if line["outcome"] != "passed" else None
    modules, reasons, wrong = {}, {}, []
    for case, why in left_out:
        modules.setdefault(module_of(case), Counter())["excluded"] += 1
        reasons.setdefault(why, [0, []])[0] += 1
    seen = set()
    for case, error in sorted(said.items()):
        name = case.split("::")[-1]
        seen.add(name)
        tally = modules.setdefault(module_of(case), Counter())
        why = exclusions.cases.get(name)
        if error is None and why is None:
            tally["passed"] += 1
        elif error is not None and why is not None:
            tally["excluded"] += 1
            reasons.setdefault(why, [0, []])[1].append(name)
        else:
            tally["failed"] += 1
            wrong.append((name, error or f"passes: take it off ceph.toml ({why})"))
    if complete:
        wrong += [(name, "no such case is run: take it off ceph.toml") for name in exclusions.cases if name not in seen]
    return modules, reasons, wrong


def table(modules, reasons, wrong, commit):
    total = Counter()
    for tally in modules.values():
        total.update(tally)
    day = datetime.date.today().isoformat()
    lines = [
        "# ceph/s3-tests",
        "",
        f"[ceph/s3-tests](https://github.com/ceph/s3-tests) at `{commit[:12]}`, run on {day} by",
        "`conformance/suites/ceph.py`, which says how to repeat it.",
        "",
        "| module | passed | excluded | failed |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, tally in sorted(modules.items()):
        lines.append(f"| `{name}` | {tally['passed']} | {tally['excluded']} | {tally['failed']} |")
    lines.append(f"| all | {total['passed']} | {total['excluded']} | {total['failed']} |")
    lines += ["", "## Excluded", "", "Cases that are named were run, and failed as they should; the others were not run.", ""]
    for why, (number, names) in sorted(reasons.items()):
        lines.append(f"- **{number + len(names)}**: {why}." + (f" `{'`, `'.join(names)}`" if names else ""))
    if wrong:
        lines += ["", "## Failed", ""]
        lines += [f"- `{name}`: {error}" for name, error in wrong]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkout", help="a checkout of ceph/s3-tests")
    parser.add_argument("--binary", default=REPOSITORY / "target/debug/cellgate")
    parser.add_argument("--database", default="sqlite", help="`sqlite` or a `postgres://` URL")
    parser.add_argument("--commit", default="", help="which commit it is, for the table; asked of git when not given")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--only", help="these cases alone, as pytest's `-k`")
    parser.add_argument("--log", default="ceph.log", help="what pytest prints goes there")
    parser.add_argument("--table", help="file for the results")
    options = parser.parse_args()
    commit = options.commit or subprocess.run(
        ["git", "-C", options.checkout, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    ended, left_out = run(options)
    modules, reasons, wrong = sort_out(ended, left_out, Exclusions(HERE / "ceph.toml"), not options.only)
    text = table(modules, reasons, wrong, commit)
    print(text)
    if options.table:
        Path(options.table).write_text(text)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())

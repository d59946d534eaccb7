"""For the scripts of clients in Python: cases, and checks in them.

from case import case, run

@case("put, get")
def put_get(): ...

run("boto3")      # runs the cases in their order, prints a JSON line each
"""

import json
import os
import sys
import time
import traceback

URL = os.environ["CELLGATE_URL"]
USER = os.environ["CELLGATE_USER"]
PASSWORD = os.environ["CELLGATE_PASSWORD"]
KEY_ID = os.environ["CELLGATE_KEY_ID"]
KEY_SECRET = os.environ["CELLGATE_KEY_SECRET"]

CASES = []


def case(name):
    """A function is a case: it fails with an exception."""

    def register(function):
        CASES.append((name, function))
        return function

    return register


def equal(found, expected, what=""):
    assert found == expected, f"{what}: expected {expected!r}, found {found!r}"


def run(client):
    script = os.path.abspath(sys.argv[0])
    for name, function in CASES:
        begun = time.monotonic()
        status, detail = "pass", ""
        try:
            function()
        except Exception as error:  # every failure is a result
            status = "fail"
            frames = traceback.extract_tb(sys.exc_info()[2])
            lines = [frame.lineno for frame in frames if os.path.abspath(frame.filename) == script]
            detail = f"line {lines[-1] if lines else '?'}: {type(error).__name__}: {error}"
        ms = int((time.monotonic() - begun) * 1000)
        line = {"client": client, "case": name, "status": status, "ms": ms, "detail": detail}
        print(json.dumps(line), flush=True)

"""Talks to rrule_probe, the rule engine on the command line, and to libical_probe."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def find_program(name):
    """The program named by the variable RRULE_PROBE or LIBICAL_PROBE, or the newest build of it."""
    if named := os.environ.get(name.upper()):
        return named
    built = sorted(
        ROOT.glob(f"build/*/tests/recurrence/{name}"), key=lambda path: path.stat().st_mtime
    )
    if not built:
        raise RuntimeError(f"{name} is not built; build it or name it with {name.upper()}")
    return str(built[-1])


class Probe:
    def __init__(self, name="rrule_probe"):
        self._name = name
        self._process = subprocess.Popen(
            [find_program(name)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def ask(self, **question):
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._name} died at {question!r}")
        return json.loads(line)

    def close(self):
        self._process.stdin.close()
        self._process.wait()

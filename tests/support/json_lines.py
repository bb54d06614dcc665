"""Talks to a program of the build that answers each line of JSON with one."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def find_program(folder, name):
    """The program named by the variable of its name (RRULE_PROBE), or the newest build of it."""
    if named := os.environ.get(name.upper()):
        return named
    built = sorted(ROOT.glob(f"build/*/tests/{folder}/{name}"), key=lambda path: path.stat().st_mtime)
    if not built:
        raise RuntimeError(f"{name} is not built; build it or name it with {name.upper()}")
    return str(built[-1])


class Program:
    def __init__(self, folder, name, *arguments, env=None):
        self._name = name
        self._process = subprocess.Popen(
            [find_program(folder, name), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, **(env or {})},
        )

    def ask(self, **question):
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self._name} died at {question!r}")
        return json.loads(answer)

    def close(self):
        self._process.stdin.close()
        assert self._process.wait(60) == 0, f"{self._name} did not end well"

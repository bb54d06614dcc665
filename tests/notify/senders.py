"""Talks to notify_probe, the senders on the command line."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def find_program():
    """The program named by the variable NOTIFY_PROBE, or the newest build of it."""
    if named := os.environ.get("NOTIFY_PROBE"):
        return named
    built = sorted(ROOT.glob("build/*/tests/notify/notify_probe"), key=lambda path: path.stat().st_mtime)
    if not built:
        raise RuntimeError("notify_probe is not built; build it or name it with NOTIFY_PROBE")
    return str(built[-1])


class Senders:
    def __init__(self, env=None):
        self._process = subprocess.Popen(
            [find_program()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, **(env or {})},
        )

    def _ask(self, what, **question):
        line = json.dumps({"do": what, **question})
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"notify_probe died at {line}")
        return json.loads(answer)

    def webhook(self, url, **question):
        return self._ask("webhook", url=url, **question)

    def push(self, endpoint, **question):
        return self._ask("push", endpoint=endpoint, **question)

    def mail(self, **question):
        return self._ask("mail", **question)

    def resolve(self, name, *answers):
        """Says what looking up `name` gives: one list per look-up, the last one again and again."""
        self._ask("resolve", name=name, answers=answers)

    def close(self):
        self._process.stdin.close()
        assert self._process.wait(60) == 0

"""The WebSocket server against the cases of the Autobahn test suite, by a runner of somebody else (PyPI kosoku). The
program under test sends back what it gets. Left out: speed (9) and compression (12, 13), which the server never has."""

from __future__ import annotations

import asyncio
import subprocess

from json_lines import find_program
from kosoku import FailureError, run_fuzzingclient

LEFT_OUT = ["9.*", "12.*", "13.*"]
CASES = 247


def test_all_cases_pass() -> None:
    server = subprocess.Popen([find_program("conformance", "websocket_echo")], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    assert server.stdin and server.stdout
    try:
        port = int(server.stdout.readline())
        try:
            results = asyncio.run(run_fuzzingclient(f"ws://127.0.0.1:{port}", exclude_cases=LEFT_OUT, concurrency=4))
        except FailureError as failure:
            failed = [f"{one.case_id}: {one.behavior.value}, {one.behavior_close.value}: {one.result} {one.result_close}"
                      for one in failure.results if not one.passed]
            raise AssertionError("\n".join(failed)) from None
    finally:
        server.stdin.close()  # ends it
        server.wait(30)
    print(f"{len(results)} cases")
    assert len(results) >= CASES
    assert server.returncode == 0, "the server has crashed"

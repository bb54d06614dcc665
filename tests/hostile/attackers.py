"""Every kind of hostile client at the same time, in a process of its own. Prints how their calls ended.

    python attackers.py '{"web": 8080, "api": 50052, "app": 50051, "ops": 8081, "token": "…", "expired": "…"}' SECONDS
"""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "support")]

import grpc  # noqa: E402
from http_clients import MAX_WAIT, MIB, Crowd  # noqa: E402
from raw_http2 import Closed, Connection  # noqa: E402
from todo_client import Client  # noqa: E402

LIST_TASKS = "/todo.v1.TodoService/ListTasks"


class Attack:
    """`aim` has the ports by name, a good token of one user, and an expired one."""

    def __init__(self, aim: dict[str, Any], seconds: float) -> None:
        self._aim = aim
        self._seconds = seconds
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.outcomes: dict[str, Counter[str]] = {}

    def run(self) -> None:
        threads = [threading.Thread(target=work, args=arguments) for work, arguments in self._clients()]
        for thread in threads:
            thread.start()
        time.sleep(self._seconds)
        self._over.set()
        for thread in threads:
            thread.join()

    def _clients(self) -> list[tuple[Callable[..., None], tuple[Any, ...]]]:
        aim = self._aim
        good, wrong = aim["token"], aim["token"][:-8] + "AAAAAAAA"
        bomb = gzip.compress(b'{"filter":{"text":"' + b"z" * 64 * MIB + b'"}}')
        json_calls: list[tuple[str, str, bytes, dict[str, str]]] = [
            ("wrong token", wrong, b"{}", {}),
            ("expired token", aim["expired"], b"{}", {}),
            ("no token at all", "x", b"{}", {}),
            ("bad UTF-8", good, b'{"filter":{"text":"\xff\xfe"}}', {}),
            ("invalid JSON", good, b'{"filter":' * 10_000, {}),
            ("gzip bomb", good, bomb, {"content-encoding": "gzip"}),
            ("one user, JSON", good, b"{}", {}),
        ]
        return [
            *((self._call_json, one) for one in json_calls),
            *((self._call_grpc, ("one user, gRPC", good)) for _ in range(4)),
            (self._call_grpc, ("wrong token, gRPC", wrong)),
            *((self._open_slowly, (aim[port],)) for port in ("api", "app") for _ in range(10)),
            (self._send_trailers, (aim["web"], good)),
            (self._crowd, (aim["web"], 300, b"POST /half-open HTTP/1.1\r\n")),
            (self._crowd, (aim["ops"], 300, b"GET /healthz HTTP/1.1\r\n")),
            (self._crowd, (aim["web"], 100, b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"a: b\r\n" * 200)),
            (self._crowd, (aim["web"], 100, b"GET / HTTP/1.1\r\nA: ", b"b")),
        ]

    def _note(self, client: str, outcome: str) -> None:
        with self._lock:
            self.outcomes.setdefault(client, Counter())[outcome] += 1

    def _call_json(self, client: str, token: str, body: bytes, headers: dict[str, str]) -> None:
        fields = {"content-type": "application/json", "authorization": f"Bearer {token}", **headers}
        while not self._over.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._aim["web"], timeout=MAX_WAIT)
            try:
                connection.request("POST", LIST_TASKS, body, fields)
                answer = connection.getresponse()
                self._note(client, f"{answer.status} {json.loads(answer.read()).get('code', 'ok')}")
            except (OSError, http.client.HTTPException) as failure:
                self._note(client, type(failure).__name__)
            finally:
                connection.close()
            self._over.wait(0.02)

    def _call_grpc(self, client: str, token: str) -> None:
        """Without a pause."""
        caller = Client(f"127.0.0.1:{self._aim['api']}", client)
        while not self._over.is_set():
            try:
                caller.call("ListTasks", caller.messages.ListTasksRequest(), authorization=f"Bearer {token}")
                self._note(client, "OK")
            except grpc.RpcError as error:
                self._note(client, error.code().name)

    def _open_slowly(self, port: int) -> None:
        """Says one byte after the other, and never reads an answer."""
        while not self._over.is_set():
            with suppress(OSError, Closed):
                connection = Connection(port, window=0)
                for byte in b"\0\0\4\x08\0\0\0\0\0" * 1_000:
                    if self._over.wait(0.2):
                        break
                    connection.send(bytes([byte]))
                connection.close()
            self._note("slow HTTP/2", "ended")

    def _send_trailers(self, port: int, token: str) -> None:
        """A request whose trailer has no end."""
        opening = (f"POST {LIST_TASKS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                   f"Authorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n").encode()
        while not self._over.is_set():
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=MAX_WAIT) as one:
                one.sendall(opening)
                while not self._over.is_set():
                    one.sendall(b"a: " + b"b" * 4_000 + b"\r\n")
            self._note("endless trailer", "ended")
            self._over.wait(0.1)

    def _crowd(self, port: int, count: int, opening: bytes, more: bytes = b"") -> None:
        with Crowd(port, count, opening) as many:
            many.press(self._seconds, (lambda one: one.sendall(more)) if more else (lambda _: None))


if __name__ == "__main__":
    attack = Attack(json.loads(sys.argv[1]), float(sys.argv[2]))
    attack.run()
    print(json.dumps(attack.outcomes))

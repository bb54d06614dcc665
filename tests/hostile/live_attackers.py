"""Every kind of hostile client of the live doors at the same time, in a process of its own. Prints how they ended.

    python live_attackers.py '{"web": 8080, "api": "…", "token": "…", "other": "…", "expired": "…", "forged": "…"}' SECONDS
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "support"), str(REPOSITORY / "tests" / "hostile")]

import grpc  # noqa: E402
from raw_web_socket import CLOSE, CONTINUATION, PING, TEXT, RawWebSocket, frame  # noqa: E402

MIB = 1024 * 1024
ENOUGH = 64 * MIB
MANY = 1_000_000  # fragments
BURST = 100  # connections
UNREAD = 600  # changes of the user of 10 KB each: more than a client and the buffers on the way may hold
PATIENCE = 120.0  # seconds, until a slow reader was cut off on a machine with other work
SLOW_READERS = ("slow reader", "slow reader of events", "slow reader of WatchTasks", "slow reader over Connect")


class LiveAttack:
    def __init__(self, aim: dict[str, Any], seconds: float) -> None:
        self._aim = aim
        self._port: int = aim["web"]
        self._seconds = seconds
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.outcomes: dict[str, Counter[str]] = {}
        self._changes: Counter[str] = Counter()  # by the name of the user's token

    def run(self) -> None:
        # Name, number of clients at the same time, one attack: how it ended.
        kinds: list[tuple[str, int, Callable[[], str | list[str]]]] = [
            ("wrong origin", 4, self._wrong_origin),
            ("no hello", 30, lambda: self._socket().end()),
            ("expired token", 2, lambda: self._with_hello(self._aim["expired"]).end()),
            ("forged token", 2, lambda: self._with_hello(self._aim["forged"]).end()),
            ("malformed hello", 2, lambda: self._after(b"[" * 1_000)),
            ("binary", 1, self._binary),
            ("huge frame", 2, self._huge_frame),
            ("huge message", 2, self._huge_message),
            ("one-byte fragments", 2, lambda: self._fragments(b"x")),
            ("empty fragments", 2, lambda: self._fragments(b"")),
            ("fragments of a user", 1, lambda: self._fragments(b"x", self._admitted())),
            ("ping flood", 2, lambda: self._socket().flood(frame(PING) * 1_000, ENOUGH)),
            ("ping flood of a user", 2, lambda: self._admitted().flood(frame(PING, b"x" * 125) * 100, ENOUGH)),
            ("hellos of a user", 1, self._many_hellos),
            ("changes for slow readers", 1, lambda: self._change_much("token")),
            ("changes for slow readers", 1, lambda: self._change_much("other")),
            ("slow reader", 10, self._slow_reader),
            ("slow reader of events", 10, self._slow_reader_of_events),
            ("slow reader of WatchTasks", 3, self._slow_reader_of_grpc),
            ("slow reader over Connect", 3, self._slow_reader_of_connect),
            ("half-open handshake", 50, lambda: self._silent(b"GET /ws HTTP/1.1\r\n")),
            ("half-closed socket", 4, self._half_closed),
            ("never answers a close", 20, self._never_answers_a_close),
            ("reconnects of one user", 4, self._reconnect),
            ("events of one user", 2, self._reconnect_events),
            ("forged ticket", 1, lambda: self._events("/events?ticket=" + self._aim["forged"], {})),
            ("bad cursor", 1, lambda: self._events("/events?cursor=x", {"authorization": f"Bearer {self._aim['token']}"})),
        ]
        threads = [threading.Thread(target=self._repeat, args=(name, attack)) for name, count, attack in kinds
                   for _ in range(count)]
        for thread in threads:
            thread.start()
        time.sleep(self._seconds)
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up and not all(name in self.outcomes for name in SLOW_READERS):
            time.sleep(0.1)
        self._over.set()
        for thread in threads:
            thread.join()

    def _repeat(self, name: str, attack: Callable[[], str | list[str]]) -> None:
        while not self._over.is_set():
            try:
                ended = attack()
            except (OSError, http.client.HTTPException) as failure:
                # The handshake was refused, or its place was given to somebody else.
                ended = f"not opened: {failure}" if "HTTP" in str(failure) else "not opened"
            with self._lock:
                self.outcomes.setdefault(name, Counter()).update([ended] if isinstance(ended, str) else ended)
            self._over.wait(0.02)

    def _socket(self, **options: Any) -> RawWebSocket:
        return RawWebSocket(self._port, **options)

    def _with_hello(self, token: str, receive_buffer: int = 0, **more: Any) -> RawWebSocket:
        opened = self._socket(receive_buffer=receive_buffer)
        opened.hello(token, **more)
        return opened

    def _admitted(self) -> RawWebSocket:
        return self._with_hello(self._aim["token"], snapshot="none")

    def _wrong_origin(self) -> str:
        opened = self._socket(origin="http://evil.example")
        opened.hello(self._aim["token"])
        return opened.end()

    def _after(self, text: bytes) -> str:
        opened = self._socket()
        opened.send(frame(TEXT, text))
        return opened.end()

    def _binary(self) -> str:
        opened = self._socket()
        opened.send(frame(2, b"\0\1"))
        return opened.end()

    def _huge_frame(self) -> str:
        opened = self._socket()
        opened.send(frame(TEXT, b"x" * 1_000, length=1 << 40))
        return opened.end()

    def _huge_message(self) -> str:
        opened = self._socket()
        opened.send(frame(TEXT, b"x" * 60_000, final=False))
        return opened.flood(frame(CONTINUATION, b"x" * 60_000, final=False), ENOUGH)

    def _fragments(self, payload: bytes, opened: RawWebSocket | None = None) -> str:
        opened = opened or self._socket()
        opened.send(frame(TEXT, payload, final=False))
        one = frame(CONTINUATION, payload, final=False)
        return opened.flood(one * 1_000, len(one) * MANY)

    def _many_hellos(self) -> str:
        opened = self._admitted()
        again = frame(TEXT, json.dumps({"type": "token", "token": self._aim["token"]}).encode())
        return opened.flood(again * 50, ENOUGH)

    def _change_much(self, token: str) -> str:
        """Updates of 10 KB each for the slow readers, as fast as one user may make them."""
        web = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        body = json.dumps({"task": {"title": "noise", "description": "x" * 10_000}})
        try:
            while not self._over.is_set():
                web.request("POST", "/todo.v1.TodoService/CreateTask", body,
                            {"content-type": "application/json", "authorization": f"Bearer {self._aim[token]}"})
                answer = web.getresponse()
                answer.read()
                self._changes[token] += answer.status == 200
                self._over.wait(0.01 if answer.status == 200 else 0.2)
        finally:
            web.close()
        return "made"

    def _much_is_unread(self, token: str) -> bool:
        """Waits until a client of the user that has connected now has left much unread; False: the attack is over."""
        enough = self._changes[token] + UNREAD
        while self._changes[token] < enough:
            if self._over.wait(0.05):
                return False
        return True

    def _slow_reader(self) -> str:
        opened = self._with_hello(self._aim["token"], receive_buffer=4_096, snapshot="none")
        if self._much_is_unread("token"):
            return opened.end()
        opened.close()
        return "over"

    def _slow_reader_of_events(self) -> str:
        one = socket.socket()
        one.settimeout(30)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        one.connect(("127.0.0.1", self._port))
        one.sendall(f"GET /events?snapshot=none HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    f"Authorization: Bearer {self._aim['token']}\r\n\r\n".encode())
        if not self._much_is_unread("token"):
            one.close()
            return "over"
        return self._closed(one)

    def _slow_reader_of_grpc(self) -> str:
        with grpc.insecure_channel(self._aim["api"], [("grpc.http2.bdp_probe", 0),
                                                      ("grpc.use_local_subchannel_pool", 1)]) as channel:
            watch = channel.unary_stream("/todo.v1.TodoService/WatchTasks")
            answers = watch(bytes([0x10, 3]),  # snapshot: SNAPSHOT_SCOPE_NONE
                            timeout=PATIENCE, metadata=[("authorization", f"Bearer {self._aim['other']}")])
            if not self._much_is_unread("other"):
                answers.cancel()
                return "over"
            try:
                for _ in answers:
                    pass
            except grpc.RpcError as end:
                code = str(end.code().name)
                return "open" if code == "DEADLINE_EXCEEDED" else code
            return "OK"

    def _slow_reader_of_connect(self) -> str:
        request = b'{"snapshot":"SNAPSHOT_SCOPE_NONE"}'
        one = socket.socket()
        one.settimeout(30)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        one.connect(("127.0.0.1", self._port))
        one.sendall(f"POST /todo.v1.TodoService/WatchTasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    f"Content-Type: application/connect+json\r\nContent-Length: {len(request) + 5}\r\n"
                    f"Authorization: Bearer {self._aim['other']}\r\n\r\n".encode()
                    + b"\0" + len(request).to_bytes(4, "big") + request)
        if not self._much_is_unread("other"):
            one.close()
            return "over"
        received = bytearray()
        try:
            while piece := one.recv(65_536):
                received += piece
        except TimeoutError:
            return "open"
        except OSError:
            pass
        finally:
            one.close()
        return "refused" if b'"error":' in received else "cut"

    def _silent(self, opening: bytes) -> str:
        one = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        one.sendall(opening)
        return self._closed(one)

    def _half_closed(self) -> str:
        opened = self._admitted()
        opened.socket.shutdown(socket.SHUT_WR)
        return "cut" if opened.cut() else "open"

    def _never_answers_a_close(self) -> str:
        opened = self._socket()
        opened.send(frame(TEXT, b"no JSON"))
        while (received := opened.receive_frame())[0] != CLOSE:
            pass
        code = int.from_bytes(received[1][:2], "big")
        return f"{code}, then {'cut' if opened.cut() else 'open'}"

    def _reconnect(self) -> list[str]:
        """A burst of connections that say hello with the handshake, and go when they are answered."""
        hello = frame(TEXT, json.dumps({"type": "hello", "token": self._aim["token"], "snapshot": "none"}).encode())
        return [self._first_answer(one) for one in [self._socket(early=hello) for _ in range(BURST)]]

    @staticmethod
    def _first_answer(opened: RawWebSocket) -> str:
        try:
            opened.begin()
            while True:
                opcode, payload = opened.receive_frame()
                if opcode == CLOSE:
                    return str(int.from_bytes(payload[:2], "big"))
                if (kind := json.loads(payload)["type"]) != "error":
                    return str(kind)
        except OSError:
            return "not opened"
        finally:
            opened.close()

    def _reconnect_events(self) -> str:
        return self._events("/events?snapshot=none", {"authorization": f"Bearer {self._aim['token']}"})

    def _events(self, path: str, headers: dict[str, str]) -> str:
        web = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            web.request("GET", path, headers=headers)
            return str(web.getresponse().status)
        finally:
            web.close()

    @staticmethod
    def _closed(one: socket.socket) -> str:
        """Reads to the end, which must come soon."""
        try:
            while one.recv(65_536):
                pass
        except TimeoutError:
            return "open"
        except OSError:
            pass
        finally:
            one.close()
        return "cut"


if __name__ == "__main__":
    attack = LiveAttack(json.loads(sys.argv[1]), float(sys.argv[2]))
    attack.run()
    print(json.dumps(attack.outcomes))

"""All hostile clients of the live doors at the same time, while honest screens get every change soon."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from http_clients import MAX_WAIT, MIB, HonestCallers, has_expired
from live_doors import DOORS, Ended, WebSocketDoor
from raw_http2 import DATA, END_STREAM, HEADERS, RST_STREAM, Connection
from screens import Screen, Viewer, until
from service_binary import binary, make_token
from todo_client import Client, eventually, rows

from tools.stack import Stack

SECONDS = 25.0
HONEST = 8
STREAMS = 16  # of one user, as many as are allowed
NEGLECTFUL = 5  # users
UNREAD = 650_000  # bytes of a stream, of the MiB that it may have
LARGE = "\N{WATERMELON}" * 10_000
WITHOUT_SNAPSHOT = bytes([0x10, 3])  # a WatchTasksRequest
REFUSED = {"4429", "not opened", "1013"}
# How attacks may end; each must have ended so at least once.
ALLOWED: dict[str, set[str]] = {
    "wrong origin": {"4503"},
    "no hello": {"4408"},
    "expired token": {"4401"},
    "forged token": {"4500"},
    "malformed hello": {"4501"},
    "binary": {"1003"},
    "huge frame": {"1009"},
    "huge message": {"1009"},
    "one-byte fragments": {"1008", "1009"},
    "empty fragments": {"1008", "1009"},
    "fragments of a user": {"1008", "1009"},
    "ping flood": {"1008"},
    "ping flood of a user": {"1008"},
    "hellos of a user": {"4501"},
    "slow reader": {"1013", "cut"},
    "slow reader of events": {"cut"},
    "slow reader of WatchTasks": {"CANCELLED"},
    "slow reader over Connect": {"cut"},
    "changes for slow readers": {"made"},
    "half-open handshake": {"cut"},
    "half-closed socket": {"cut"},
    "never answers a close": {"4501, then cut"},
    "reconnects of one user": {"snapshot"},
    "events of one user": {"200", "429"},
    "forged ticket": {"401"},
    "bad cursor": {"400"},
}
OF_ONE_USER = {"fragments of a user", "ping flood of a user", "hellos of a user", "slow reader", "half-closed socket",
               "reconnects of one user"}
# A flood may fill the way before the close frame is read; the connection has ended all the same.
FLOODS = {"huge message", "one-byte fragments", "empty fragments", "fragments of a user", "ping flood",
          "ping flood of a user", "hellos of a user"}


@pytest.fixture(scope="module")
def stack(key: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    flags = ["--auth-issuer=todo-local", f"--auth-jwks-file={key.with_name('keys.json')}", "--auth-clock-skew=0s",
             *(f"--{port}-address=127.0.0.1" for port in ("api", "web", "ops"))]
    with Stack(tmp_path_factory.mktemp("live") / "run", broker="memory", service_binary=binary(), service_flags=flags,
               raise_limits=False, keep_data=False) as running:
        yield running


def test_honest_screens_get_every_change_while_all_attack(stack: Stack, key: Path) -> None:
    def token(user: str, lifetime: str = "1h") -> str:
        return make_token("--key", str(key), "--user", user, "--for", lifetime)

    good = token("mallory")
    aim = {"web": stack.ports["web-0"], "api": stack.api_target(), "token": good,
           "other": token("trudy"), "expired": token("mallory", "1s"), "forged": good[:-8] + "AAAAAAAA"}
    eventually(lambda: has_expired(aim["web"], aim["expired"]), "the token for one second has expired")
    tokens = [token(f"honest-{n}") for n in range(HONEST)]
    viewers = []

    async def watch() -> dict[str, dict[str, int]]:
        for n in range(HONEST):
            identity = {"authorization": f"Bearer {tokens[n]}"}
            for door in DOORS:
                screen = Screen(f"honest-{n}", f"honest-{n} ({door.name})")
                viewers.append(Viewer(stack, screen, door, identity=lambda who=identity: who).start())
        await until(lambda: all(viewer.screen.cursor for viewer in viewers), "the honest screens are connected")
        attack = await asyncio.create_subprocess_exec(
            sys.executable, str(Path(__file__).with_name("live_attackers.py")), json.dumps(aim), str(SECONDS),
            stdout=asyncio.subprocess.PIPE)
        output = asyncio.create_task(attack.communicate())
        clients = [Client(stack.api_target(), f"honest-{n}") for n in range(HONEST)]
        changes = 0
        while not output.done():
            n = changes % HONEST
            await asyncio.to_thread(create, clients[n], tokens[n], f"task {changes}")
            changes += 1
            await asyncio.sleep(0.1)
        heads = [sum(1 for change in range(changes) if change % HONEST == n) for n in range(HONEST)]
        await until(lambda: all(viewer.screen.cursor[0] == heads[int(viewer.screen.user.removeprefix("honest-"))]
                                for viewer in viewers), "every screen has every change", within=MAX_WAIT)
        await asyncio.gather(*(viewer.stop() for viewer in viewers))
        assert attack.returncode == 0
        print(f"{changes} changes")
        outcomes: dict[str, dict[str, int]] = json.loads((await output)[0])
        return outcomes

    with HonestCallers(stack, 250 * MIB, {"authorization": f"Bearer {tokens[0]}"}):
        outcomes = asyncio.run(watch())
    print("\n".join(f"{client}: {counts}" for client, counts in outcomes.items()))
    print(f"{sum(outcomes['reconnects of one user'].values()) / SECONDS:.0f} connections of one user a second")
    print(f"longest wait for an update {max(viewer.screen.longest_wait for viewer in viewers):.2f} s")
    for viewer in viewers:
        assert not viewer.screen.breaches and not viewer.ends, (viewer.screen.name, viewer.screen.breaches, viewer.ends)
        assert viewer.screen.longest_wait < MAX_WAIT, viewer.screen.name
    for client, allowed in ALLOWED.items():
        also = {"over"} | (REFUSED if client in OF_ONE_USER else set()) | ({"cut"} if client in FLOODS else set())
        found = outcomes[client].keys()
        assert found & allowed and found <= allowed | also, (client, outcomes[client])
    assert "open" not in {outcome for counts in outcomes.values() for outcome in counts}


def create(client: Client, token: str, title: str, description: str = "") -> Any:
    request = client.messages.CreateTaskRequest(task=client.messages.Task(title=title, description=description))
    return client.call("CreateTask", request, authorization=f"Bearer {token}")


def test_the_limit_of_new_connections_spares_other_users(stack: Stack, key: Path) -> None:
    def identity(user: str) -> dict[str, str]:
        return {"authorization": f"Bearer {make_token('--key', str(key), '--user', user, '--for', '1h')}"}

    mallory, honest = identity("mallory"), identity("honest-0")
    refusals = 0

    async def reconnect() -> None:
        nonlocal refusals
        while True:
            socket = WebSocketDoor(stack, 0, mallory, snapshot="none")
            await socket.open()
            try:
                await socket.next()
            except Ended as end:
                assert end.code == 4429, end
                refusals += 1
            await socket.close()

    async def scenario() -> None:
        flood = asyncio.create_task(reconnect())
        await until(lambda: refusals, "mallory is refused")
        before = refusals
        viewers = [Viewer(stack, Screen("honest-0", door.name), door, identity=lambda: honest).start() for door in DOORS]
        await until(lambda: all(viewer.screen.cursor for viewer in viewers), "another user is served", MAX_WAIT)
        await until(lambda: refusals > before, "mallory is refused still")
        for viewer in viewers:
            assert not viewer.ends, (viewer.screen.name, viewer.ends)
            await viewer.stop()
        assert not flood.done(), flood.exception()
        flood.cancel()

    asyncio.run(scenario())


class NeglectedStreams:
    """As many WatchTasks streams as one user may have, on one connection. Nothing is read but their beginning."""

    def __init__(self, stack: Stack, token: str) -> None:
        self._connection = Connection(stack.ports["api-0"])
        self._open = {self._connection.call("/todo.v1.TodoService/WatchTasks", WITHOUT_SNAPSHOT,
                                            authorization=f"Bearer {token}") for _ in range(STREAMS)}
        silent = set(self._open)
        while silent:
            silent -= {one.stream for one in self._connection.frames(MAX_WAIT) if one.kind == DATA}

    def left(self) -> int:
        """The number of streams that are still open."""
        for one in self._connection.frames(0.05):
            if one.kind == RST_STREAM or (one.kind == HEADERS and one.flags & END_STREAM):
                self._open.discard(one.stream)
        return len(self._open)


def test_streams_that_nobody_reads_end_after_half_a_minute(stack: Stack, key: Path) -> None:
    """Each keeps less unread than it may, and all together do."""
    tokens = {user: make_token("--key", str(key), "--user", user, "--for", "1h")
              for user in ("honest-0", *(f"neglectful-{n}" for n in range(NEGLECTFUL)))}
    honest = tokens.pop("honest-0")
    status = Path(f"/proc/{stack.node('service-0').pid}/statm")

    def rss() -> int:
        return int(status.read_text().split()[1]) * resource.getpagesize()

    def neglect() -> None:
        before = rss()
        neglected = [NeglectedStreams(stack, token) for token in tokens.values()]
        began = time.monotonic()
        for user, token in tokens.items():
            client = Client(stack.api_target(), user)
            for n in range(UNREAD // len(LARGE.encode()) + 1):
                create(client, token, f"task {n}", LARGE)
        eventually(lambda: rss() > before + UNREAD * STREAMS * NEGLECTFUL / 2, "the unread updates are in memory")
        assert sum(streams.left() for streams in neglected) == STREAMS * NEGLECTFUL
        eventually(lambda: sum(streams.left() for streams in neglected) < STREAMS * NEGLECTFUL, "the first one ends")
        assert time.monotonic() - began > 29, "the first one ended too early"
        eventually(lambda: not any(streams.left() for streams in neglected), "all end")
        eventually(lambda: rss() < before + 32 * MIB, "their memory is given back")

    async def scenario() -> None:
        viewers = [Viewer(stack, Screen("honest-0", door.name), door,
                          identity=lambda: {"authorization": f"Bearer {honest}"}).start() for door in DOORS]
        await until(lambda: all(viewer.screen.cursor for viewer in viewers), "the honest screens are connected")
        attack = asyncio.create_task(asyncio.to_thread(neglect))
        client = Client(stack.api_target(), "honest-0")
        changes = [await asyncio.to_thread(create, client, honest, "before")]
        while not attack.done():
            changes.append(await asyncio.to_thread(create, client, honest, "meanwhile"))
            await asyncio.sleep(0.5)
        await attack
        last = changes[-1].id
        await until(lambda: all(last in map(int, viewer.screen.tasks) for viewer in viewers), "all changes", MAX_WAIT)
        for viewer in viewers:
            assert not viewer.screen.breaches and not viewer.ends, (viewer.screen.name, viewer.screen.breaches, viewer.ends)
            assert viewer.screen.longest_wait < MAX_WAIT, viewer.screen.name
            await viewer.stop()

    asyncio.run(scenario())


def test_nothing_is_left_of_the_attack(stack: Stack, key: Path) -> None:
    """The same user is served again."""
    mallory = make_token("--key", str(key), "--user", "mallory", "--for", "1h")

    async def scenario() -> None:
        viewer = Viewer(stack, Screen("mallory"), identity=lambda: {"authorization": f"Bearer {mallory}"}).start()
        await until(lambda: viewer.screen.cursor, "served again")
        await viewer.stop()

    asyncio.run(scenario())
    eventually(lambda: rows(stack, "select count(*) from pg_stat_activity where state = 'active' "
                                   "and pid <> pg_backend_pid()") == [["0"]], "no query goes on")

"""Screens whose users have tokens of a real OpenID provider: every door opens, tokens expire and are renewed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping

import pytest
from calls import LOOPBACK, Calls, header
from live_doors import DOORS, ConnectDoor, Door, Ended, EventsDoor, GrpcDoor, WebSocketDoor, call_json
from provider import BRIEF, Provider
from screens import Screen, Viewer, until
from service_binary import binary
from todo_client import eventually

from tools.stack import Stack


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    running = Provider()
    yield running
    running.close()


@pytest.fixture(scope="module")
def stack(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    flags = [f"--auth-issuer={provider.issuer}", "--auth-clock-skew=0s", *LOOPBACK]
    with Stack(tmp_path_factory.mktemp("tokens") / "run", broker="memory", service_binary=binary(), service_flags=flags,
               keep_data=False) as running:
        calls = Calls(running)
        token = provider.token("ada")
        eventually(lambda: calls.refusal(token) == ("", "", ""), "the keys of the provider")
        yield running


async def ticket_of(stack: Stack, token: str) -> str:
    answer = await call_json(stack, 0, "CreateWatchTicket", {}, header(token))
    return str(answer["ticket"])


async def messages_until_end(door: Door, screen: Screen) -> Ended:
    try:
        async with asyncio.timeout(60):
            while True:
                screen.take(await door.next())
    except Ended as end:
        return end


async def opened(door: Door, screen: Screen) -> Door:
    screen.begin()
    await door.open()
    while not screen.cursor:
        screen.take(await door.next())
    return door


def test_a_token_of_the_provider_opens_every_door(provider: Provider, stack: Stack) -> None:
    async def scenario() -> None:
        token = provider.token("ada")
        with_ticket = {"ticket": await ticket_of(stack, token)}
        ways = [*((door, header(token)) for door in DOORS), (EventsDoor, with_ticket), (WebSocketDoor, with_ticket)]
        viewers = [Viewer(stack, Screen("ada", door.name), door, identity=lambda who=who: who).start() for door, who in ways]
        await until(lambda: all(viewer.screen.cursor for viewer in viewers), "all are open")
        task = await asyncio.to_thread(Calls(stack).create, token)
        await until(lambda: all(task.id in viewer.screen.tasks for viewer in viewers), "the task is on all screens")
        for viewer in viewers:
            await viewer.stop()
            assert not viewer.ends and not viewer.screen.breaches

    asyncio.run(scenario())


# How a watch ends with its token, and how a request with that token ends later.
ENDS: dict[type[Door], tuple[set[object], set[object]]] = {
    WebSocketDoor: ({4401}, {4401}),
    EventsDoor: ({200}, {401}),
    GrpcDoor: ({"UNAUTHENTICATED"}, {"UNAUTHENTICATED"}),
    ConnectDoor: ({"UNAUTHENTICATED"}, {401, "UNAUTHENTICATED"}),
}


def test_watches_end_with_their_token(provider: Provider, stack: Stack) -> None:
    async def scenario(door: type[Door]) -> None:
        codes, later = ENDS[door]
        token = provider.token("ada", brief=True)
        began = time.monotonic()
        who: Mapping[str, str] = {"ticket": await ticket_of(stack, token)} if door is EventsDoor else header(token)
        screen = Screen("ada")
        end = await messages_until_end(await opened(door(stack, 0, who), screen), screen)
        assert (end.code in codes, end.reason) == (True, "TOKEN_EXPIRED"), (door.name, end)
        assert BRIEF - 2 < time.monotonic() - began < BRIEF + 5, door.name
        # Tokens and tickets of the past open nothing; a browser's EventSource gives up then.
        again = door(stack, 0, who, screen.cursor)
        await again.open()
        end = await messages_until_end(again, screen)
        assert end.code in later, (door.name, end)
        await again.close()

    async def scenarios() -> None:
        await asyncio.gather(*map(scenario, DOORS))

    asyncio.run(scenarios())


def test_expired_screens_come_back_with_new_tokens_and_miss_nothing(provider: Provider, stack: Stack) -> None:
    async def scenario() -> None:
        def identity(door: type[Door]) -> Mapping[str, str]:
            return header(provider.token("ada", brief=True))

        viewers = [Viewer(stack, Screen("ada", door.name), door, identity=lambda door=door: identity(door)).start()
                   for door in DOORS]
        calls = Calls(stack)
        made = []
        while not all(viewer.connections >= 3 for viewer in viewers):
            made.append((await asyncio.to_thread(calls.create, provider.token("ada"))).id)
            await asyncio.sleep(0.1)
        await until(lambda: all(viewer.screen.tasks.keys() >= set(made) for viewer in viewers), "all tasks on all screens")
        for viewer in viewers:
            await viewer.stop()
            assert not viewer.screen.breaches and not viewer.screen.resyncs and viewer.screen.snapshots == 1
            assert {end.reason for end in viewer.ends} == {"TOKEN_EXPIRED"}

    asyncio.run(scenario())


def test_a_socket_that_renews_its_token_stays_open(provider: Provider, stack: Stack) -> None:
    async def scenario() -> None:
        screen = Screen("ada")
        socket = WebSocketDoor(stack, 0, header(provider.token("ada", brief=True)))
        await opened(socket, screen)
        answers = []
        began = time.monotonic()
        calls = Calls(stack)
        while time.monotonic() - began < 2.5 * BRIEF:
            brief = time.monotonic() - began < 2 * BRIEF
            await socket.send({"type": "token", "token": provider.token("ada", brief=brief)})
            task = await asyncio.to_thread(calls.create, provider.token("ada"))
            while task.id not in screen.tasks or len(answers) == 0:
                message = await socket.next()
                screen.take(message)
                answers += [message["expires_at"]] if message["type"] == "token_accepted" else []
            await asyncio.sleep(BRIEF / 3)
        assert len(answers) >= 5 and answers == sorted(answers) and not screen.breaches
        await socket.send({"type": "token", "token": provider.token("ops")})
        end = await messages_until_end(socket, screen)
        assert end.code == 4500, "the token of another user"

    asyncio.run(scenario())

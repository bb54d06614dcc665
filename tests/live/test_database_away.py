"""Screens while the database is away: every door gives signs of life, nobody is sent away, and nothing is missed."""

from __future__ import annotations

import asyncio

import grpc
from live_doors import DOORS
from screens import Screen, Viewer, compare, until
from todo_client import Client, eventually

from tools.stack import Stack

SIGNS = 2  # of life; with the usual 15 seconds between two of them


def test_screens_get_signs_of_life_while_the_database_is_away(stack: Stack) -> None:
    async def scenario() -> None:
        client = Client(stack.api_target(), "patient")
        await asyncio.to_thread(client.create, "before")
        viewers = [Viewer(stack, Screen("patient", door.name), door).start() for door in DOORS]
        await until(lambda: all(viewer.screen.cursor for viewer in viewers), "all screens have a cursor")
        await asyncio.to_thread(stack.stop_one, "postgres")
        try:
            await until(lambda: all(viewer.screen.signs_of_life >= SIGNS for viewer in viewers), "signs of life", 90)
        finally:
            await asyncio.to_thread(stack.start_one, "postgres")
        await asyncio.to_thread(eventually, lambda: created(client, "after"), "the service works again")
        await compare(stack, [viewer.screen for viewer in viewers])
        pings = {viewer.screen.name: viewer.screen.pings for viewer in viewers}
        await until(lambda: all(viewer.screen.pings > pings[viewer.screen.name] for viewer in viewers), "pings with cursors")
        for viewer in viewers:
            assert viewer.ends == [] and viewer.connections == 1, (viewer.screen.name, viewer.ends)
            assert not viewer.screen.breaches and not viewer.screen.resyncs, viewer.screen.name
            await viewer.stop()

    asyncio.run(scenario())


def created(client: Client, title: str) -> bool:
    try:
        client.create(title)
    except grpc.RpcError:
        return False
    return True

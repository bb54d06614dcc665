#!/usr/bin/env python3
"""Shows a user's tasks and keeps them up to date, over a WebSocket. Needs `pip install websockets`.

    live.py ws://127.0.0.1:8080/ws ada                  with --dev-identity: the user
    TOKEN=eyJhbGci… live.py wss://todo.example.org/ws   with tokens
"""

import asyncio
import json
import os
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

tasks, cursor = {}, {}  # the cursor is seq and event_id of the last change that `tasks` shows
parts, pause = {}, 1.0  # of a snapshot that is coming; seconds until the next try


def take(message):
    """Applies one message. False: connect again."""
    global pause
    kind, place = message["type"], {name: message.get(name) for name in ("seq", "event_id")}
    pause = message.get("retry_after_ms", 1000) / 1000  # an error may have it
    if kind == "resync":  # forget everything; a snapshot follows
        for known in (tasks, parts, cursor):
            known.clear()
    elif kind == "snapshot":
        parts.update((task["id"], task) for task in message["tasks"])
        if message["last"]:
            tasks.update(parts)
            cursor.update(place)
    elif kind == "update":
        if message["seq"] != cursor["seq"] + 1:
            return False
        tasks[message["task_id"]] = message["task"]
        if message["task"] is None:  # deleted
            del tasks[message["task_id"]]
        cursor.update(place)
    elif kind == "ping" and "seq" in message:  # with the newest change, which must be known here
        return cursor == place
    return True


async def watch(url, identity):
    async with connect(url, subprotocols=["todo.v1"], compression=None, max_size=None) as socket:
        parts.clear()
        await socket.send(json.dumps({"type": "hello", **identity, **cursor}))
        while take(json.loads(await asyncio.wait_for(socket.recv(), 45))):
            print(json.dumps({**cursor, "tasks": [task["title"] for task in tasks.values()]}), flush=True)


async def stay(url, identity):
    global pause
    while True:
        try:
            await watch(url, identity)
        except ConnectionClosed as closed:
            print(f"closed: {closed}", file=sys.stderr)
            if closed.rcvd and (closed.rcvd.code == 4401 or closed.rcvd.code >= 4500):  # another try would not help
                sys.exit(f"refused: {closed.rcvd.code} {closed.rcvd.reason}")
        except (OSError, InvalidHandshake) as failure:  # the server is away, busy or silent
            print(f"no connection: {failure!r}", file=sys.stderr)
        await asyncio.sleep(pause)
        pause = min(2 * pause, 30)


if __name__ == "__main__":
    who = {"token": os.environ["TOKEN"]} if "TOKEN" in os.environ else {"user_id": sys.argv[2]}
    asyncio.run(stay(sys.argv[1], who))

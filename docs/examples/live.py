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
from websockets.exceptions import ConnectionClosed

tasks, cursor = {}, {}  # the cursor is seq and event_id of the last change that `tasks` shows
pause = 1.0  # seconds until the next try


def take(message, parts):
    """Applies one message; `parts` are those of a snapshot that is coming. False: connect again."""
    global pause
    kind, place = message["type"], {name: message.get(name) for name in ("seq", "event_id")}
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
    elif kind == "ping":  # with the newest change, which must be known here
        return cursor == place
    elif kind == "error":
        print(message["code"], message["message"], file=sys.stderr)
        pause = message.get("retry_after_ms", 1000) / 1000
    return True


async def watch(url, identity):
    while True:
        try:
            async with connect(url, subprotocols=["todo.v1"], compression=None, max_size=None) as socket:
                parts = {}
                await socket.send(json.dumps({"type": "hello", **identity, **cursor}))
                async for text in socket:
                    if not take(json.loads(text), parts):
                        break
                    print(json.dumps({**cursor, "tasks": [task["title"] for task in tasks.values()]}), flush=True)
        except OSError:
            pass  # the server is away
        except ConnectionClosed as closed:
            if closed.rcvd and closed.rcvd.code >= 4500:
                sys.exit(f"refused: {closed.rcvd.code} {closed.rcvd.reason}")
        await asyncio.sleep(pause)


if __name__ == "__main__":
    who = {"token": os.environ["TOKEN"]} if "TOKEN" in os.environ else {"user_id": sys.argv[2]}
    asyncio.run(watch(sys.argv[1], who))

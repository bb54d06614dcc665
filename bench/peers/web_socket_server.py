"""A server of Python's `websockets` as a yardstick for live screens. Prints its port. Lines of standard input are
"COUNT TEXT": the text goes to every socket so many times."""

from __future__ import annotations

import asyncio
import resource
import sys
from contextlib import suppress

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed


async def main() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    connections: set[ServerConnection] = set()

    async def hold(connection: ServerConnection) -> None:
        connections.add(connection)
        with suppress(ConnectionClosed):
            async for _ in connection:
                pass
        connections.discard(connection)

    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    async with serve(hold, "127.0.0.1", 0, compression=None, ping_interval=None, subprotocols=["todo.v1"],
                     backlog=10_000) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        while line := await commands.readline():
            count, text = line.decode().rstrip("\n").split(" ", 1)
            for _ in range(int(count)):
                broadcast(connections, text)


if __name__ == "__main__":
    asyncio.run(main())

"""Clients of an HTTP API that keep their connections, as call_load.cc is for gRPC; prints the same line of JSON. Half of the
calls create a task, the other half complete it. For servers that answer some hundreds of calls a second.

    python3 http_load.py PORT CLIENTS SECONDS"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time

BODY = json.dumps({"title": "Water the plants", "description": "all of them, also those on the balcony",
                   "tags": ["home", "green"]})


class Client:
    def __init__(self, port: int) -> None:
        self.port = port
        self.times: list[float] = []

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)

    async def call(self, path: str, user: str, body: str) -> bytes:
        began = time.perf_counter()
        self._writer.write(f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nx-user-id: {user}\r\n"
                           f"content-length: {len(body)}\r\n\r\n{body}".encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = int(head.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
        answer = await self._reader.readexactly(length)
        self.times.append(time.perf_counter() - began)
        return answer

    async def pair(self) -> None:
        user = f"user-{random.randrange(1000)}"
        task = json.loads(await self.call("/tasks", user, BODY))["id"]
        await self.call(f"/tasks/{task}/complete", user, "")


async def main(port: int, count: int, seconds: float) -> None:
    clients = [Client(port) for _ in range(count)]

    async def run(client: Client, until: float) -> None:
        while time.monotonic() < until:
            await client.pair()

    await asyncio.gather(*(client.open() for client in clients))
    await asyncio.gather(*(client.pair() for client in clients))
    warm_up = sum(len(client.times) for client in clients)
    for client in clients:
        client.times.clear()
    print("begin", flush=True)
    began, cpu = time.monotonic(), time.process_time()
    await asyncio.gather(*(run(client, began + seconds) for client in clients))
    times = sorted(one for client in clients for one in client.times)
    print(json.dumps({"count": len(times), "seconds": time.monotonic() - began, "all_count": len(times) + warm_up,
                      "failures": 0, "cpu_seconds": time.process_time() - cpu,
                      "p50_ms": times[len(times) // 2] * 1e3, "p99_ms": times[len(times) * 99 // 100] * 1e3}))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))

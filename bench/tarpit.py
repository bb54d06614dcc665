#!/usr/bin/env python3
"""What a tarpit costs the others: reminders of many users on their way to a webhook receiver, without and with an
endpoint of another user that never answers and has 10,000 deliveries waiting. Prints one line.

    bench/tarpit.py [--reminders 1000] [--pending 10000] [--rounds 3] [--binary build/release/todo-service]
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "support")]

import confluent_kafka  # noqa: E402
import grpc  # noqa: E402
from todo_client import eventually, protos, rows  # noqa: E402

from tools.stack import Stack  # noqa: E402

USERS = 100
RATE = 20.0  # reminders a second: well below what can be sent, so that only waiting for the tarpit shows


class Receiver(ThreadingHTTPServer):
    """Notes when each reminder came."""

    daemon_threads = True

    def __init__(self) -> None:
        self.came: dict[str, float] = {}
        came = self.came

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                came.setdefault(body["data"]["id"], time.monotonic())
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def tarpit() -> int:
    """A port that takes connections and never says a word."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
    held: list[socket.socket] = []

    def take() -> None:
        while True:
            held.append(listener.accept()[0])

    threading.Thread(target=take, daemon=True).start()
    return int(listener.getsockname()[1])


def add_endpoint(stack: Stack, user: str, url: str) -> str:
    protos()
    messages: Any = importlib.import_module("todo.v1.notification_service_pb2")
    stubs: Any = importlib.import_module("todo.v1.notification_service_pb2_grpc")
    with grpc.insecure_channel(stack.api_target()) as channel:
        stub = stubs.NotificationServiceStub(channel)
        metadata = [("x-user-id", user)]
        eventually(lambda: stub.GetChannels(messages.GetChannelsRequest(), metadata=metadata).webhook_available, "on")
        endpoint = messages.WebhookEndpoint(url=url, reminders=True)
        return str(stub.CreateWebhookEndpoint(messages.CreateWebhookEndpointRequest(endpoint=endpoint),
                                              metadata=metadata, timeout=30).id)


def milliseconds_each(stack: Stack, receiver: Receiver, count: int) -> list[float]:
    """From the publishing of each reminder to its call."""
    producer = confluent_kafka.Producer({"bootstrap.servers": f"127.0.0.1:{stack.ports['kafka']}", "linger.ms": 0})
    sent: dict[str, float] = {}
    began = time.monotonic()
    for n in range(count):
        while (wait := began + n / RATE - time.monotonic()) > 0:
            producer.poll(wait)
        event_id, user = str(uuid.uuid4()), f"user-{n % USERS}"
        data = {"id": event_id, "task_id": n, "title": "a task", "user_id": user,
                "remind_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        event = {"specversion": "1.0", "id": event_id, "source": "bench", "type": "todo.reminder.due.v1", "data": data}
        sent[event_id] = time.monotonic()
        producer.produce("reminders", key=user, value=json.dumps(event))
    producer.flush(60)
    eventually(lambda: sent.keys() <= receiver.came.keys(), "every reminder arrived", within=300)
    return [(receiver.came[event_id] - at) * 1000 for event_id, at in sent.items()]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reminders", type=int, default=1_000)
    parser.add_argument("--pending", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--binary", type=Path,
                        default=Path(os.environ.get("TODO_SERVICE", REPOSITORY / "build" / "release" / "todo-service")))
    arguments = parser.parse_args(argv)
    receiver, port = Receiver(), tarpit()
    with tempfile.TemporaryDirectory(prefix="todo-tarpit-") as folder, \
            Stack(Path(folder) / "run", service_binary=arguments.binary, keep_data=False,
                  service_flags=["--webhook-allow-hosts=127.0.0.1"],
                  secrets={"webhook-master-key": "a master key for nothing but a measurement"}) as stack:
        for n in range(USERS):
            add_endpoint(stack, f"user-{n}", f"http://127.0.0.1:{receiver.server_port}/{n}")
        bad = add_endpoint(stack, "tarpit", f"http://127.0.0.1:{port}/")
        milliseconds_each(stack, receiver, 2 * USERS)  # warm, and every lane has shown that it is quick
        figures: dict[bool, list[float]] = {False: [], True: []}
        for _ in range(arguments.rounds):  # in turns: the machine may change its mood
            for stuck in (False, True):
                stack.postgres.query("select remove_lane('tarpit', 'webhook', id) from webhook_endpoints "
                                     "where user_id = 'tarpit'")
                if stuck:
                    stack.postgres.query(f"""
                        select enqueue_delivery('tarpit', 'webhook', '{bad}', '127.0.0.1:{port}', gen_random_uuid(),
                                                'reminder.due', '{{}}', false, now(), now())
                        from generate_series(1, {arguments.pending})""")
                    eventually(lambda: rows(stack, "select count(*) from delivery_lanes where user_id = 'tarpit' "
                                                   "and lease_until > now()") == [["1"]], "the tarpit holds a thread")
                figures[stuck] += milliseconds_each(stack, receiver, arguments.reminders)
        without, beside = (statistics.median(figures[stuck]) for stuck in (False, True))
        worst = {stuck: statistics.quantiles(figures[stuck], n=100)[98] for stuck in (False, True)}
        print(f"tarpit: {arguments.pending} pending; reminder -> webhook of others: median {without:.0f} ms without, "
              f"{beside:.0f} ms beside it ({beside / without - 1:+.0%}); p99 {worst[False]:.0f} ms, {worst[True]:.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())

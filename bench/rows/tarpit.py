"""What a tarpit costs the others: reminders of many users on their way to a webhook receiver, without and beside an
endpoint of another user that never answers and has 10,000 deliveries waiting."""

from __future__ import annotations

import importlib
import itertools
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import confluent_kafka
import grpc
from todo_client import eventually, protos, rows

from tools.stack import Stack

from ..harness.pairs import Plan, in_turns
from ..harness.places import running_stack
from ..harness.report import Report

USERS = 100
PENDING = 10_000
ALLOWED = 1.2
STEADY, PER_SECOND = 200, 20  # well below what can be sent, so that each is alone on its way
BURST = 1_000                 # all at once: how many get through in a second


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


class Bench:
    def __init__(self, stack: Stack, receiver: Receiver, tarpit_port: int) -> None:
        self._stack = stack
        self._receiver = receiver
        for n in range(USERS):
            add_endpoint(stack, f"user-{n}", f"http://127.0.0.1:{receiver.server_port}/{n}")
        self._numbers = itertools.count()
        self._producer = confluent_kafka.Producer({"bootstrap.servers": f"127.0.0.1:{stack.ports['kafka']}",
                                                   "linger.ms": 0, "log_level": 2})
        self._host = f"127.0.0.1:{tarpit_port}"
        self._tarpit = add_endpoint(stack, "tarpit", f"http://{self._host}/")

    def alone(self, measure: Callable[[], float]) -> float:
        self._stack.postgres.query(f"select remove_lane('tarpit', 'webhook', '{self._tarpit}')")
        self._tidy()
        return measure()

    def beside(self, measure: Callable[[], float]) -> float:
        self._stack.postgres.query(f"""
            select enqueue_delivery('tarpit', 'webhook', '{self._tarpit}', '{self._host}', gen_random_uuid(),
                                    'reminder.due', '{{}}', false, now(), now())
            from generate_series(1, {PENDING})""")
        self._tidy()
        eventually(lambda: rows(self._stack, "select count(*) from delivery_lanes where user_id = 'tarpit' "
                                             "and lease_until > now()") == [["1"]], "the tarpit holds a thread")
        took = measure()
        waiting = int(rows(self._stack, "select count(*) from deliveries where user_id = 'tarpit' "
                                        "and state = 'pending'")[0][0])
        assert waiting >= PENDING, f"only {waiting} wait: it was no tarpit"
        return took

    def _tidy(self) -> None:
        """Making and removing so many rows leaves work behind, which is not what is measured."""
        self._stack.postgres.query("vacuum (analyze) deliveries, delivery_lanes")

    def latency(self) -> float:
        """The median of the seconds from publishing a reminder to its call."""
        sent: dict[str, float] = {}
        began = time.monotonic()
        for n in range(STEADY):
            time.sleep(max(0.0, began + n / PER_SECOND - time.monotonic()))
            sent.update(self._remind(1))
        return median([self._receiver.came[event_id] - at for event_id, at in self._arrived(sent).items()])

    def burst(self) -> float:
        """Seconds until all that was published at once has arrived."""
        sent = self._arrived(self._remind(BURST))
        return max(self._receiver.came[event_id] for event_id in sent) - min(sent.values())

    def _remind(self, count: int) -> dict[str, float]:
        """Publishes so many reminders. Answers when, by their ids."""
        events: list[tuple[str, dict[str, Any]]] = []
        for n in range(count):
            user = f"user-{next(self._numbers) % USERS}"
            event_id = str(uuid.uuid4())
            data = {"id": event_id, "task_id": n, "title": "a task", "user_id": user,
                    "remind_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
            events.append((user, {"specversion": "1.0", "id": event_id, "source": "bench", "type": "todo.reminder.due.v1",
                                  "data": data}))
        at = time.monotonic()
        for user, event in events:
            self._producer.produce("reminders", key=user, value=json.dumps(event))
        assert self._producer.flush(60) == 0, "the broker did not take everything"
        return {event["id"]: at for _, event in events}

    def _arrived(self, sent: dict[str, float]) -> dict[str, float]:
        eventually(lambda: sent.keys() <= self._receiver.came.keys(), "every reminder arrived", within=300)
        return sent


def main(report: Report, plan: Plan) -> None:
    with running_stack("--webhook-allow-hosts=127.0.0.1",
                       secrets={"webhook-master-key": "a master key for nothing but a measurement"}) as stack:
        bench = Bench(stack, Receiver(), tarpit())
        for name, measure, unit in (("latency", bench.latency, "median from the topic to the call"),
                                    ("burst", bench.burst, f"{BURST} at once")):
            alone, beside = in_turns(plan.pairs, lambda: bench.alone(measure), lambda: bench.beside(measure))
            report.times(f"tarpit {name}", "s", beside, alone, ALLOWED, peer_name="without a tarpit",
                         note=f"{unit}, beside {PENDING} deliveries that wait for a tarpit")

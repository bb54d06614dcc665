"""The way of a change: from its commit to the broker's acknowledgement, to the next occurrence, and to a live client, each
beside the hops that it takes, measured alone."""

from __future__ import annotations

import importlib
import json
import time
import uuid
from collections.abc import Sequence
from concurrent import futures
from typing import Any

import grpc
from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from todo_client import Client, eventually, rows

from tools.stack import Stack

from ..harness.pairs import Plan
from ..harness.places import running_stack
from ..harness.report import Report, at_most
from ..harness.session import Session
from ..harness.sockets import Load
from .live import MESSAGE, Server, servers
from .reminders import dapr_protos, percentile

HOPS = {True: 500, False: 100}  # changes, by the form
MAX_FACTOR = 2.0  # beside the sum of the hops
PAUSE = 0.05  # seconds between two completions, so that none waits for another's event
PERCENTILES = {"p50": 0.5, "p99": 0.99}


def to_live_clients(stack: Stack, count: int) -> list[float]:
    """Seconds from the change's time, which is before its commit, to a socket."""
    user = f"way-{count}"
    client = Client(stack.api_target(), user)
    with Load(stack.ports["web-0"], [{"type": "hello", "user_id": user, "snapshot": "none"}]) as load:
        load.mark()
        for n in range(count):
            client.create(f"task {n}")
            load.wait(n + 1)
        made = {change.seq: change.timestamp.ToNanoseconds() / 1e9 for change in client.changes()}
        return [at - made[seq] for _, seq, at in load.times()]


def commits_alone(stack: Stack, count: int) -> list[float]:
    session = Session(stack)
    session.run("create table if not exists hop (text text)")
    waits = []
    for _ in range(count):
        began = time.time()
        session.run(f"insert into hop values (repeat('x', {len(MESSAGE)}))")
        waits.append(time.time() - began)
    session.close()
    return waits


def sockets_alone(server: Server, count: int) -> list[float]:
    began = []
    with Load(server.port, count=1) as load:
        load.mark()
        for n in range(count):
            began.append(time.time())
            server.send()
            load.wait(n + 1)
        return [at - sent for sent, (_, _, at) in zip(began, load.times(), strict=True)]


def bus_alone(count: int) -> tuple[list[float], list[float]]:
    """Seconds from the publish call to its acknowledgement, and to a bare app, through daprd and Kafka."""
    callbacks, dapr, _ = dapr_protos()
    app = importlib.import_module("dapr.proto.runtime.v1.appcallback_pb2")
    arrived: dict[str, float] = {}

    class App(callbacks.AppCallbackServicer):  # type: ignore[misc, name-defined]
        def ListTopicSubscriptions(self, request: Any, context: Any) -> Any:
            return app.ListTopicSubscriptionsResponse(subscriptions=[app.TopicSubscription(
                pubsub_name="kafka-broadcast", topic="task-updates", metadata={"rawPayload": "true"},
                routes=app.TopicRoutes(default="/hop"))])

        def OnTopicEvent(self, request: Any, context: Any) -> Any:
            arrived[request.data.decode()[:36]] = time.time()
            return app.TopicEventResponse()

        def ListInputBindings(self, request: Any, context: Any) -> Any:
            return app.ListInputBindingsResponse()

    class Health(callbacks.AppCallbackHealthCheckServicer):  # type: ignore[misc, name-defined]
        def HealthCheck(self, request: Any, context: Any) -> Any:
            return app.HealthCheckResponse()

    with running_stack(service=False) as stack:
        server = grpc.server(futures.ThreadPoolExecutor(4))
        callbacks.add_AppCallbackServicer_to_server(App(), server)
        callbacks.add_AppCallbackHealthCheckServicer_to_server(Health(), server)
        server.add_insecure_port(stack.app_target())
        server.start()
        messages = importlib.import_module("dapr.proto.runtime.v1.pubsub_pb2")
        stub = dapr.DaprStub(grpc.insecure_channel(f"127.0.0.1:{stack.ports['daprd-grpc-0']}"))
        token = [("dapr-api-token", stack.tokens()["DAPR_API_TOKEN"])]

        def publish() -> str:
            name = str(uuid.uuid4())
            stub.PublishEvent(messages.PublishEventRequest(
                pubsub_name="kafka-pubsub", topic="task-updates", data=name.encode() + MESSAGE.encode(),
                metadata={"rawPayload": "true", "partitionKey": "way"}), metadata=token, timeout=15)
            return name

        # The first ones may come before the subscription does.
        eventually(lambda: publish() and arrived, "the subscription", every=0.5)
        acknowledged, came = [], []
        for _ in range(count):
            began = time.time()
            name = publish()
            acknowledged.append(time.time() - began)
            eventually(lambda: name in arrived, "the event", every=0.0005)  # noqa: B023: called at once
            came.append(arrived[name] - began)
        server.stop(None)
    return acknowledged, came


def to_broker(stack: Stack, count: int) -> list[float]:
    """Seconds from the change's time, which is before its commit, to the time at which the broker appended it (whole
    milliseconds)."""
    topic = ConfigResource(ResourceType.TOPIC, "task-events", incremental_configs=[
        ConfigEntry("message.timestamp.type", "LogAppendTime", incremental_operation=AlterConfigOpType.SET)])
    admin = AdminClient({"bootstrap.servers": stack.kafka.brokers})
    for done in admin.incremental_alter_configs([topic]).values():
        done.result(30)
    client = Client(stack.api_target(), "to-broker")
    for n in range(count):
        client.create(f"task {n}")
    made = {change.event_id: change.timestamp.ToNanoseconds() / 1e9 for change in client.changes()}
    consumer = Consumer({"bootstrap.servers": stack.kafka.brokers, "group.id": str(uuid.uuid4()), "auto.offset.reset": "earliest"})
    consumer.subscribe(["task-events"])
    waits: dict[str, float] = {}

    def look() -> bool:
        message = consumer.poll(0.1)
        if message and not message.error():
            event_id = json.loads(message.value())["id"]
            if event_id in made:
                waits[event_id] = message.timestamp()[1] / 1e3 - made[event_id]
        return len(waits) == count

    eventually(look, "all changes are on the topic", every=0)
    consumer.close()
    return list(waits.values())


def to_next_occurrence(stack: Stack, count: int) -> list[float]:
    """Seconds from the time of a completion, before its commit, to that of the successor, before its commit."""
    client = Client(stack.api_target(), "to-next")
    for n in range(count):
        task = client.create(f"task {n}", due_local="2030-10-24T09:00:00", time_zone="Europe/Berlin", recurrence_rule="FREQ=WEEKLY")
        client.complete(task.id)
        time.sleep(PAUSE)
    sql = """select extract(epoch from s.created_at - t.completed_at) from tasks t join tasks s
             on s.user_id = t.user_id and s.series_id = t.series_id and s.occurrence = t.occurrence + 1
             where t.user_id = 'to-next'"""
    eventually(lambda: len(rows(stack, sql)) == count, "all successors", every=0.2)
    return [float(row[0]) for row in rows(stack, sql)]


def judge(report: Report, name: str, way: Sequence[float], hops: dict[str, Sequence[float]], percentiles: Sequence[str]) -> None:
    """Beside the sum of the medians, or of the 99th percentiles, of the hops."""
    for which in percentiles:
        part = PERCENTILES[which]
        alone = {hop: percentile(list(waits), part) * 1e3 for hop, waits in hops.items()}
        took = percentile(list(way), part) * 1e3
        report.alone(f"{name}, {which}", "times its hops alone", [took / sum(alone.values())], at_most(MAX_FACTOR),
                     note=f"{took:.1f} ms; alone: " + ", ".join(f"{hop} {wait:.1f} ms" for hop, wait in alone.items()))


def main(report: Report, plan: Plan) -> None:
    count = HOPS[plan.full]
    published_alone, delivered_alone = bus_alone(count)
    with running_stack() as stack, servers(stack) as all_servers:
        to_live_clients(stack, 20)  # warms up
        commits = commits_alone(stack, count)
        judge(report, "commit → broker's acknowledgement", to_broker(stack, count),
              {"commit": commits, "publish": published_alone}, ["p50"])
        judge(report, "commit → next occurrence", to_next_occurrence(stack, count),
              {"commit": commits, "bus": delivered_alone}, ["p50", "p99"])
        judge(report, "commit → live client", to_live_clients(stack, count),
              {"commit": commits, "bus": delivered_alone, "socket": sockets_alone(all_servers[1], count)}, ["p50", "p99"])

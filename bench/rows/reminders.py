"""1,000 reminders due within the same second: all fire, none early, none twice, and how late they are, beside the same
jobs of a bare app that does nothing at all. The lateness is printed, not judged: it is the scheduler's first of all."""

from __future__ import annotations

import importlib
import math
import threading
import time
from collections import Counter
from concurrent import futures
from typing import Any

import grpc
from todo_client import Client, Reminders, eventually, protos, published, read_topic, rows

from ..harness.pairs import Plan
from ..harness.places import running_stack
from ..harness.report import Report

COUNT = 1_000
LEAD = 30.0  # seconds to prepare in before they are due
WORKERS = 8


def in_parallel(work: Any, items: Any) -> list[Any]:
    with futures.ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(work, items))


def percentile(lateness: list[float], share: float) -> float:
    return sorted(lateness)[math.ceil(len(lateness) * share) - 1]


def described(lateness: list[float]) -> str:
    return (f"p50 {percentile(lateness, 0.5) * 1000:.0f} ms, p99 {percentile(lateness, 0.99) * 1000:.0f} ms, "
            f"last {max(lateness) * 1000:.0f} ms")


# The bare app.

def dapr_protos() -> tuple[Any, Any, Any]:
    """appcallback_pb2_grpc, dapr_pb2_grpc, jobs_pb2."""
    protos()
    package = "dapr.proto.runtime.v1"
    return (importlib.import_module(f"{package}.appcallback_pb2_grpc"), importlib.import_module(f"{package}.dapr_pb2_grpc"),
            importlib.import_module(f"{package}.jobs_pb2"))


def bare_lateness(count: int, lead: float) -> list[float]:
    """How late `count` jobs of one instant reach an app that only looks at its clock."""
    callbacks, dapr, jobs = dapr_protos()
    app_messages = importlib.import_module("dapr.proto.runtime.v1.appcallback_pb2")
    arrived: list[float] = []
    lock = threading.Lock()

    class App(callbacks.AppCallbackServicer):  # type: ignore[misc, name-defined]
        def ListTopicSubscriptions(self, request: Any, context: Any) -> Any:
            return app_messages.ListTopicSubscriptionsResponse()

        def ListInputBindings(self, request: Any, context: Any) -> Any:
            return app_messages.ListInputBindingsResponse()

    class Alpha(callbacks.AppCallbackAlphaServicer):  # type: ignore[misc, name-defined]
        def OnJobEventAlpha1(self, request: Any, context: Any) -> Any:
            with lock:
                arrived.append(time.time())
            return app_messages.JobEventResponse()

    class Health(callbacks.AppCallbackHealthCheckServicer):  # type: ignore[misc, name-defined]
        def HealthCheck(self, request: Any, context: Any) -> Any:
            return app_messages.HealthCheckResponse()

    with running_stack(service=False) as stack:
        server = grpc.server(futures.ThreadPoolExecutor(WORKERS))
        callbacks.add_AppCallbackServicer_to_server(App(), server)
        callbacks.add_AppCallbackAlphaServicer_to_server(Alpha(), server)
        callbacks.add_AppCallbackHealthCheckServicer_to_server(Health(), server)
        server.add_insecure_port(stack.app_target())
        server.start()
        stack.wait_jobs()
        stub = dapr.DaprStub(grpc.insecure_channel(f"127.0.0.1:{stack.ports['daprd-grpc-0']}"))
        token = [("dapr-api-token", stack.tokens()["DAPR_API_TOKEN"])]
        due = math.ceil(time.time() + lead)
        text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(due))

        def schedule(number: int) -> None:
            stub.ScheduleJobAlpha1(jobs.ScheduleJobRequest(job=jobs.Job(name=f"bare-{number}", due_time=text)),
                                   metadata=token, timeout=15)

        in_parallel(schedule, range(count))
        if time.time() > due:
            raise SystemExit(f"scheduling took longer than {lead:g} s: the machine is too busy")
        eventually(lambda: len(arrived) >= count, "every job has come", within=lead + 120)
        server.stop(None)
    return [at - due for at in arrived[:count]]


# The service.

def service_lateness(count: int, lead: float) -> tuple[list[float], str]:
    with running_stack() as stack:
        stack.wait_jobs()
        clients = [Client(stack.api_target(), f"bench-{n}") for n in range(WORKERS)]
        tasks = in_parallel(lambda n: (clients[n % WORKERS], clients[n % WORKERS].create(f"task {n}")), range(count))
        due = math.ceil(time.time() + lead)
        in_parallel(lambda pair: Reminders(pair[0]).create(pair[1].id, at=due), tasks)
        began = time.time()
        unwritten = "select count(*) from reminders where state = 'pending' and job_at is distinct from remind_at"
        eventually(lambda: rows(stack, unwritten) == [["0"]] or time.time() > due, "every job is written", within=lead + 60)
        if time.time() > due:
            raise SystemExit(f"preparing took longer than {lead:g} s: the machine is too busy")
        print(f"reminders: {count} prepared, the last job written {time.time() - began:.1f} s after the last call",
              flush=True)
        eventually(lambda: rows(stack, "select count(*) from reminders where state = 'fired'") == [[str(count)]],
                   "every reminder has fired", within=lead + 120)
        lateness = [float(row[0]) for row in rows(stack, "select extract(epoch from fired_at - remind_at) from reminders")]
        published(stack)
        events = {(record.event["id"], record.event["data"]["task_id"]) for record in read_topic(stack, "reminders")}
        ids = Counter(task_id for _, task_id in events)
        lost = count - len(ids)
        doubled = sum(1 for n in ids.values() if n > 1)
        early = sum(1 for seconds in lateness if seconds < 0)
        return lateness, "" if lost == doubled == early == 0 and len(lateness) == count else (
            f"lost={lost} doubled={doubled} early={early}")


def main(report: Report, _: Plan) -> None:
    bare = bare_lateness(COUNT, LEAD)
    lateness, faults = service_lateness(COUNT, LEAD)
    report.promise("reminders", not faults, f"{COUNT} due in one second: {faults or 'all fired, none early, none twice'}; "
                   f"lateness {described(lateness)}; a bare app's jobs {described(bare)}")

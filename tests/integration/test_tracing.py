"""One call and all that it causes, as a collector sees it, on the real stack; and what nobody may see."""

from __future__ import annotations

import datetime
import json
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import pytest
from collector import Collector, Place, SidecarSpans, causes
from conftest import binary
from todo_client import Client, Notified, Operator, Reminders, eventually

from tools.stack import Stack

MASTER_KEY = "planted-master-key-81f0, and long enough to be one"
TITLE = "planted-title-27ac"
BEARER = "planted-bearer-63de"
URL_SECRET = "planted-path-95bb"


# A sampling rate so small that the sidecar records nothing but what its callers record.
CONFIGURATION = """
apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: traced
spec:
  tracing:
    samplingRate: "0.000000001"
    zipkin:
      endpointAddress: {url}
"""


class Hook:
    """A webhook endpoint that takes everything."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, str], dict[str, object]]] = []  # headers, body
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                hook.calls.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/{URL_SECRET}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Traced:
    stack: Stack
    collector: Collector
    sidecar: SidecarSpans
    hook: Hook


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    collector, sidecar, hook = Collector(), SidecarSpans(), Hook()
    folder = tmp_path_factory.mktemp("stack")
    configuration = folder / "configuration.yaml"
    configuration.write_text(CONFIGURATION.format(url=sidecar.url))
    flags = [f"--trace-endpoint={collector.url}", "--webhook-allow-hosts=127.0.0.1", "--reminder-sweep=1s",
             "--log-level=debug"]
    try:
        with Stack(folder / "run", service_binary=binary(), service_flags=flags, configuration=configuration,
                   secrets={"webhook-master-key": MASTER_KEY}, keep_data=False) as running:
            nobody = Notified(running.api_target(), "nobody")
            eventually(lambda: nobody.call("GetChannels").webhook_available, "the channels are known")
            yield Traced(running, collector, sidecar, hook)
    finally:
        collector.close()
        sidecar.close()
        hook.close()


def place_of(traceparent: str) -> Place:
    version, trace, span, flags = traceparent.split("-")
    assert (version, flags) == ("00", "01")
    return trace, span


def test_a_completed_task_is_one_trace_up_to_the_webhook_of_its_successors_reminder(traced: Traced) -> None:
    client = Client(traced.stack.api_target(), "traced")
    Notified(traced.stack.api_target(), "traced").webhook(traced.hook.url)
    # A day before it is due, the reminder of this occurrence is too late; that of the next comes in a few seconds.
    due = datetime.datetime.fromtimestamp(int(time.time()) + 6, datetime.UTC)
    task = client.create(TITLE, due_date=due, recurrence_rule="daily")
    Reminders(client).create(task.id, before="P1D")
    caller = (uuid.uuid4().hex, uuid.uuid4().hex[:16])
    client.call("CompleteTask", client.messages.CompleteTaskRequest(id=task.id, request_id=str(uuid.uuid4())),
                traceparent=f"00-{caller[0]}-{caller[1]}-01", authorization=f"Bearer {BEARER}")
    successor = client.successor_of(task)

    def reminded() -> dict[str, str] | None:
        return next((headers for headers, body in traced.hook.calls if body["data"]["task_id"] == successor.id), None)

    delivery = place_of(eventually(reminded, "the webhook of the reminder")["traceparent"])
    eventually(lambda: delivery in traced.collector.spans(), "the span of the delivery")
    eventually(lambda: caller in causes(traced.collector.spans(), delivery), "the way back to the call")
    spans = traced.collector.spans()
    way = {spans[place].name: spans[place] for place in causes(spans, delivery) - {caller}}
    assert way["CompleteTask"].parent == caller
    assert {"deliver webhook", "fire reminder"} <= set(way)
    assert any(name.endswith("recurring-tasks") for name in way), way
    assert way["deliver webhook"].attributes["http.response.status_code"] == 204
    assert not any(span.failed for span in way.values())
    # Side branches.
    for name in ("send task-events", "send reminders", "schedule reminders"):
        assert any(span.name == name and caller in causes(spans, span.place) for span in spans.values()), name


def test_the_sidecars_spans_join_and_are_recorded_as_the_caller_says(traced: Traced) -> None:
    client = Client(traced.stack.api_target(), "joined")
    traces = {flags: uuid.uuid4().hex for flags in ("00", "01")}
    for flags, trace in traces.items():  # the one that is not recorded is the first, so that it cannot come later
        request = client.messages.CreateTaskRequest(
            task=client.messages.Task(title=TITLE), request_id=str(uuid.uuid4()))
        client.call("CreateTask", request, traceparent=f"00-{trace}-{uuid.uuid4().hex[:16]}-{flags}")

    def joined() -> bool:
        sends = {span.place for span in traced.collector.spans().values() if span.name == "send task-events"}
        caused = {place for place in sends
                  if any(trace == traces["01"] for trace, _ in causes(traced.collector.spans(), place))}
        return any(caused & parents for parents in traced.sidecar.parents().values())

    eventually(joined, "the sidecar's span below that of the sending")
    recorded = {trace for parents in traced.sidecar.parents().values() for trace, _ in parents}
    assert traces["00"] not in recorded
    assert traces["00"] not in {trace for trace, _ in traced.collector.spans()}


def test_what_users_and_operators_keep_secret_leaves_by_no_way(traced: Traced) -> None:
    client = Client(traced.stack.api_target(), "traced")
    task = client.create(TITLE)
    with pytest.raises(grpc.RpcError) as refused:
        client.call("UpdateTask", client.messages.UpdateTaskRequest(
            task=client.messages.Task(id=task.id, title=TITLE * 100), update_mask={"paths": ["title"]}),
            authorization=f"Bearer {BEARER}")
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    with urllib.request.urlopen(f"http://127.0.0.1:{traced.stack.ports['ops-0']}/metrics") as page:
        metrics = page.read().decode()
    eventually(lambda: any(span.name == "UpdateTask" for span in traced.collector.spans().values()), "its span")
    log = (traced.stack.logs / "service-0.log").read_text()
    assert "sidecar_checked" in log and "todo_build_info" in metrics
    for secret in (TITLE, BEARER, MASTER_KEY, URL_SECRET, *traced.stack.tokens().values()):
        for where, text in {"log": log, "error": str(refused.value), "metrics": metrics,
                            "spans": "\n".join(traced.collector.bodies)}.items():
            assert secret not in text, f"{where} tells {secret}"


def test_an_operator_changes_what_is_logged_for_a_while(traced: Traced) -> None:
    target = traced.stack.api_target()
    with pytest.raises(grpc.RpcError) as refused:
        Operator(target, role=None).set_log_level("DEBUG")
    assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED
    operator = Operator(target)
    for wrong in (0, 24 * 3600 + 1):
        with pytest.raises(grpc.RpcError) as refused:
            operator.set_log_level("DEBUG", seconds=wrong)
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT and "duration" in refused.value.details()
    levels = operator.messages.LogLevel
    answer = operator.set_log_level("ERROR", seconds=1)
    assert (levels.Name(answer.level), answer.HasField("until")) == ("LOG_LEVEL_ERROR", True)
    assert operator.set_log_level("WARNING").until.seconds > time.time() + 3000, "an hour, when the call does not say"
    answer = operator.set_log_level("UNSPECIFIED")
    assert (levels.Name(answer.level), answer.HasField("until")) == ("LOG_LEVEL_DEBUG", False), "that of the settings"

"""The spans that the service exports, read by the parser of the OpenTelemetry Collector."""

from __future__ import annotations

import subprocess
from pathlib import Path

import grpc
import pytest
from collector import Collector
from service_binary import binary
from todo_client import Client

from tools.stack import Stack
from tools.stack.installed import where


def parse(requests: list[str]) -> subprocess.CompletedProcess[str]:
    """A line for each span."""
    return subprocess.run([where("otlp")], input="\n".join(requests), capture_output=True, text=True, check=False)


def test_the_collectors_own_parser_reads_every_span_as_it_was_meant(tmp_path: Path) -> None:
    collector = Collector()
    try:
        with Stack(tmp_path / "run", service_binary=binary(), service_flags=[f"--trace-endpoint={collector.url}"],
                   keep_data=False) as stack:
            client = Client(stack.api_target(), "ada")
            task = client.create("water the plants", due_local="2090-01-02", recurrence_rule="daily")
            client.complete(task.id)
            client.successor_of(task)
            with pytest.raises(grpc.RpcError):
                client.get(task.id + 1_000_000)
    finally:
        collector.close()
    spans = collector.spans()  # the end of the process has exported the rest
    assert {"CreateTask", "process recurring-tasks", "send task-events"} <= {span.name for span in spans.values()}
    read = parse(collector.bodies)
    assert read.returncode == 0, read.stderr
    parent = {place: span.parent[1] if span.parent else "" for place, span in spans.items()}
    assert sorted(read.stdout.splitlines()) == sorted(
        f'{trace} {span} {parent[trace, span]} "{spans[trace, span].name}"' for trace, span in spans)


def test_the_parser_refuses_ids_in_base64() -> None:
    good = ('{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"%s","spanId":"b7ad6b7169203331","name":"a",'
            '"startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]}]}')
    assert parse([good % "0af7651916cd43dd8448eb211c80319c"]).returncode == 0
    assert parse([good % "CvdlGRbNQ92ESOshHIAxnA=="]).returncode != 0

"""A collector of spans: takes OTLP over HTTP as JSON, and is as strict as the specification lets a collector be."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Place = tuple[str, str]
"""Trace id and span id."""

LOWER_HEX = re.compile("[0-9a-f]+")
VALUES = {"boolValue": bool, "intValue": str, "stringValue": str}


def identifier(text: object, size: int) -> str:
    assert isinstance(text, str) and len(text) == size and LOWER_HEX.fullmatch(text) and set(text) != {"0"}, text
    return text


def nanoseconds(text: object) -> int:
    assert isinstance(text, str) and text.isdigit(), f"64-bit numbers are strings in JSON: {text!r}"
    return int(text)


def attributes(entries: list[dict[str, Any]]) -> dict[str, Any]:
    found = {}
    for entry in entries:
        [(kind, value)] = entry["value"].items()
        assert type(value) is VALUES[kind], entry
        if kind == "intValue":
            value = int(value)
        assert found.setdefault(entry["key"], value) is value, f"{entry['key']} stands twice"
    return found


@dataclass(frozen=True)
class Span:
    place: Place
    parent: Place | None
    links: tuple[Place, ...]
    name: str
    kind: int
    attributes: dict[str, Any]
    failed: bool

    @staticmethod
    def of(json_span: dict[str, Any]) -> Span:
        known = {"traceId", "spanId", "parentSpanId", "flags", "name", "kind", "startTimeUnixNano", "endTimeUnixNano",
                 "attributes", "links", "status"}
        assert set(json_span) <= known, set(json_span) - known
        trace = identifier(json_span["traceId"], 32)
        parent = json_span.get("parentSpanId")
        assert 0 < nanoseconds(json_span["startTimeUnixNano"]) <= nanoseconds(json_span["endTimeUnixNano"])
        assert type(json_span["kind"]) is int and 1 <= json_span["kind"] <= 5
        assert json_span["flags"] & 1, "only what is sampled is exported"
        links = tuple((identifier(link["traceId"], 32), identifier(link["spanId"], 16))
                      for link in json_span.get("links", []))
        return Span(place=(trace, identifier(json_span["spanId"], 16)),
                    parent=(trace, identifier(parent, 16)) if parent else None,
                    links=links,
                    name=json_span["name"],
                    kind=json_span["kind"],
                    attributes=attributes(json_span.get("attributes", [])),
                    failed=json_span.get("status") == {"code": 2})


def spans_of(request: dict[str, Any]) -> list[Span]:
    """Those of an export request. Fails when it is none."""
    spans = []
    for resource in request["resourceSpans"]:
        assert attributes(resource["resource"]["attributes"])["service.name"] == "todo-service"
        for scope in resource["scopeSpans"]:
            assert scope["scope"]["name"] == "todo-service"
            spans += [Span.of(span) for span in scope["spans"]]
    return spans


class SidecarSpans:
    """Takes the spans of a sidecar, in Zipkin's JSON. Listens on loopback while it lives."""

    def __init__(self) -> None:
        self._spans: list[dict[str, Any]] = []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sink._spans += json.loads(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(202)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/api/v2/spans"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def parents(self) -> dict[str, set[Place]]:
        """Of the spans of each name."""
        found: dict[str, set[Place]] = {}
        for span in list(self._spans):
            found.setdefault(span["name"], set()).add((span["traceId"], span.get("parentId", "")))
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Collector:
    """Listens on loopback while it lives. `bodies` are the requests as they came."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self._lock = threading.Lock()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                good = self.path == "/v1/traces" and self.headers["content-type"] == "application/json"
                if good:
                    with collector._lock:
                        collector.bodies.append(body)
                self.send_response(200 if good else 400)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1/traces"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def spans(self) -> dict[Place, Span]:
        with self._lock:
            bodies = list(self.bodies)
        found: dict[Place, Span] = {}
        for body in bodies:
            for span in spans_of(json.loads(body)):
                assert span.place not in found, f"two spans of one id: {span}"
                found[span.place] = span
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def causes(spans: dict[Place, Span], place: Place) -> set[Place]:
    """`place`, and every place that it follows from, by parents and links."""
    found: set[Place] = set()
    left = [place]
    while left:
        here = left.pop()
        if here in found:
            continue
        found.add(here)
        if span := spans.get(here):
            left += [*span.links, *([span.parent] if span.parent else [])]
    return found

#!/usr/bin/env python3
"""Writes the Grafana dashboard charts/todo-service/files/dashboard.json from the table in this file.

    tools/dashboard.py           writes it
    tools/dashboard.py --check   says whether it is up to date
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "charts" / "todo-service" / "files" / "dashboard.json"
WIDTH, HEIGHT = 24, 8
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Panel:
    """A graph, or a single value with the limits from which it is yellow and red. In `queries`, `@` stands for the
    selection of the reader, `[*]` for the interval of a rate."""

    title: str
    queries: dict[str, str]  # legend -> expression
    unit: str = "short"
    limits: tuple[float, float] | None = None


def quantile(part: float, metric: str, by: str = "") -> str:
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({part}, sum by ({labels}) (rate({metric}_bucket{{@}}[*])))"


def rate(metric: str, by: str, more: str = "") -> str:
    return f"sum by ({by}) (rate({metric}{{@{more}}}[*]))"


FAULTS = "INTERNAL|UNKNOWN|DATA_LOSS|UNAVAILABLE|DEADLINE_EXCEEDED"
CALLS = "todo_call_duration_seconds"

ROWS: dict[str, list[Panel]] = {
    "At a glance": [
        Panel("Replicas that are not healthy", {"": "sum(1 - todo_healthy{@})"}, limits=(1, 1)),
        Panel("Sidecars that do not answer", {"": "sum(1 - todo_sidecar_answers{@})"}, limits=(1, 1)),
        Panel("Calls that fail", {"": f'sum(rate({CALLS}_count{{@, code=~"{FAULTS}"}}[*])) / sum(rate({CALLS}_count{{@}}[*]))'},
              "percentunit", (0.005, 0.02)),
        Panel("Oldest change that waits for the bus", {"": "max(todo_outbox_oldest_seconds{@})"}, "s", (5, 30)),
        Panel("Open dead letters", {"": "max(todo_dead_letters_open{@})"}, limits=(1, 100)),
        Panel("Overdue reminders", {"": "max(todo_reminders_overdue{@})"}, limits=(10, 100)),
    ],
    "Calls": [
        Panel("Calls by code", {"{{code}}": rate(f"{CALLS}_count", "code")}, "reqps"),
        Panel("Time of a call", {"half": quantile(0.5, CALLS), "9 of 10": quantile(0.9, CALLS), "99 of 100": quantile(0.99, CALLS)}, "s"),
        Panel("The slowest methods (99 of 100)", {"{{method}}": f"topk(10, {quantile(0.99, CALLS, 'method')})"}, "s"),
        Panel("Refused because of a limit of the user", {"{{reason}}": rate("todo_calls_refused_total", "reason")}, "reqps"),
        Panel("Calls that wait for a worker", {"{{instance}} {{pool}}": "todo_worker_queue{@}"}),
        Panel("Connections", {"{{port}} (HTTP)": "sum by (port) (todo_http_connections{@})",
                              "{{port}} (gRPC)": "sum by (port) (todo_grpc_connections{@})"}),
    ],
    "Events": [
        Panel("Events by consumer and result", {"{{consumer}} {{result}}": rate("todo_events_total", "consumer, result") + " > 0"}, "cps"),
        Panel("Time from an event to its effect (9 of 10)", {"{{consumer}}": quantile(0.9, "todo_event_lag_seconds", "consumer")}, "s"),
        Panel("Outbox", {"changes": "max(todo_outbox_unpublished_changes{@})", "messages": "max(todo_outbox_unpublished_messages{@})"}),
        Panel("Published", {"changes and messages": "sum(rate(todo_relay_published_changes_total{@}[*]))",
                            "failed publishes": "sum(rate(todo_relay_publish_failures_total{@}[*]))"}, "cps"),
        Panel("Events that wait", {"retry queue": "max(todo_retries_waiting{@})", "open dead letters": "max(todo_dead_letters_open{@})",
                                   "missing": "max(todo_events_missing{@})", "lost": "max(todo_events_lost{@})"}),
        Panel("Shards of each replica", {"{{instance}}": "todo_relay_owned_shards{@}"}),
    ],
    "Reminders and deliveries": [
        Panel("Lateness of reminders", {"half": quantile(0.5, "todo_reminder_lateness_seconds"),
                                        "99 of 100": quantile(0.99, "todo_reminder_lateness_seconds")}, "s"),
        Panel("Reminders that wait", {"overdue": "max(todo_reminders_overdue{@})", "to be planned": "max(todo_reminders_unplanned{@})",
                                      "jobs to be written": "max(todo_reminder_jobs_unwritten{@})"}),
        Panel("Attempts to deliver", {"{{channel}} {{outcome}}": rate("todo_delivery_attempts_total", "channel, outcome") + " > 0"}, "cps"),
        Panel("Time of an attempt (9 of 10)", {"{{channel}}": quantile(0.9, "todo_delivery_attempt_duration_seconds", "channel")}, "s"),
        Panel("Oldest due delivery", {"age": "max(todo_deliveries_oldest_seconds{@})"}, "s"),
        Panel("Deliveries that wait", {"deliveries": "max(todo_deliveries_pending{@})"}),
    ],
    "Live screens": [
        Panel("Screens and users", {"screens": "sum(todo_live_screens{@})", "users": "sum(todo_live_users{@})"}),
        Panel("Time from a change to the replica", {"half": quantile(0.5, "todo_live_lag_seconds"),
                                                    "99 of 100": quantile(0.99, "todo_live_lag_seconds")}, "s"),
        Panel("Updates", {"from the bus": "sum(rate(todo_live_updates_total{@}[*]))",
                          "to screens": "sum(rate(todo_live_deliveries_total{@}[*]))"}, "cps"),
        Panel("Screens that began again or went", {"{{reason}}": rate("todo_live_resyncs_total", "reason"),
                                                   "lost": "sum(rate(todo_live_screens_lost_total{@}[*]))"}, "cps"),
    ],
    "Database": [
        Panel("Connections in use", {"{{instance}} {{pool}}": "todo_database_connections_in_use{@} > 0"}),
        Panel("Part of a pool in use", {"{{instance}} {{pool}}": "todo_database_connections_in_use{@} / todo_database_connections_max{@}"},
              "percentunit"),
        Panel("Wait for a connection (99 of 100)", {"{{pool}}": quantile(0.99, "todo_database_pool_wait_seconds", "pool")}, "s"),
        Panel("Connections lost, and waits in vain", {"{{pool}} lost": rate("todo_database_connections_lost_total", "pool") + " > 0",
                                                      "{{pool}} in vain": rate("todo_database_pool_exhausted_total", "pool") + " > 0"}, "cps"),
    ],
    "Processes": [
        Panel("CPU", {"{{instance}}": "rate(process_cpu_seconds_total{@}[*])"}, "percentunit"),
        Panel("Memory", {"{{instance}}": "process_resident_memory_bytes{@}"}, "bytes"),
        Panel("File descriptors in use", {"{{instance}}": "process_open_fds{@} / process_max_fds{@}"}, "percentunit"),
        Panel("Clock of the machine less that of the database", {"{{instance}}": "todo_clock_difference_seconds{@}"}, "s"),
    ],
}


def expression(text: str) -> str:
    return text.replace("@", 'job=~"$job"').replace("[*]", "[$__rate_interval]")


def target(number: int, legend: str, text: str) -> dict[str, Any]:
    return {"refId": chr(ord("A") + number), "datasource": DATASOURCE, "expr": expression(text), "legendFormat": legend or "__auto"}


def panel(number: int, what: Panel, place: dict[str, int]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": number, "title": what.title, "type": "stat" if what.limits else "timeseries", "datasource": DATASOURCE,
        "gridPos": place, "targets": [target(n, *query) for n, query in enumerate(what.queries.items())],
        "fieldConfig": {"defaults": {"unit": what.unit, "min": 0}, "overrides": []},
    }
    if "clock_difference" in str(what.queries):
        del made["fieldConfig"]["defaults"]["min"]
    if what.limits:
        yellow, red = what.limits
        steps = [{"color": "green", "value": None}, {"color": "orange", "value": yellow}, {"color": "red", "value": red}]
        made["fieldConfig"]["defaults"]["thresholds"] = {"mode": "absolute", "steps": steps}
        made["options"] = {"colorMode": "background", "reduceOptions": {"calcs": ["lastNotNull"]}}
    return made


def panels() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS.items():
        made.append({"id": len(made) + 1, "title": title, "type": "row", "collapsed": False, "panels": [],
                     "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1}})
        y += 1
        across = len(row) if row[0].limits else 3 if len(row) % 3 == 0 else 2
        height = HEIGHT // 2 if row[0].limits else HEIGHT
        for n, what in enumerate(row):
            place = {"x": n % across * (WIDTH // across), "y": y + n // across * height, "w": WIDTH // across, "h": height}
            made.append(panel(len(made) + 1, what, place))
        y += -(-len(row) // across) * height
    return made


def dashboard() -> dict[str, Any]:
    variables = [
        {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
        {"name": "job", "label": "Job", "type": "query", "datasource": DATASOURCE, "query": "label_values(todo_build_info, job)",
         "refresh": 2, "multi": True, "includeAll": True, "allValue": ".*", "current": {"text": "All", "value": "$__all"}},
    ]
    return {
        "uid": "todo-service", "title": "todo-service", "tags": ["todo-service"], "schemaVersion": 39, "version": 1,
        "editable": True, "refresh": "30s", "time": {"from": "now-3h", "to": "now"}, "timezone": "browser",
        "templating": {"list": variables}, "annotations": {"list": []}, "panels": panels(),
    }


def main() -> int:
    text = json.dumps(dashboard(), indent=1) + "\n"
    if sys.argv[1:] == ["--check"]:
        if TARGET.read_text() == text:
            return 0
        print(f"{TARGET} is not what tools/dashboard.py writes: run it", file=sys.stderr)
        return 1
    if sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

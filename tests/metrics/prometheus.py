"""The files for Prometheus and Grafana, pages of /metrics, and promtool, which judges both."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from conftest import REPOSITORY

FILES = REPOSITORY / "charts" / "todo-service" / "files"
ALERTS = FILES / "alerts.yaml"
DASHBOARD = FILES / "dashboard.json"
NAME = re.compile(r"\b((?:todo|process)_[a-z_]+)\b")
SAMPLE = re.compile(r"^([a-z_]+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


@functools.cache
def promtool() -> str:
    return subprocess.run([REPOSITORY / "tools" / "setup", "--where", "promtool"], check=True, capture_output=True,
                          text=True).stdout.strip()


def run(*arguments: str | Path, text: str | None = None) -> tuple[int, str]:
    """The exit code and everything that promtool says."""
    done = subprocess.run([promtool(), *arguments], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=600, check=False)
    return done.returncode, done.stdout


def run_with(command: Sequence[str], content: Any) -> tuple[int, str]:
    """The same with a file of this content; JSON is YAML."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump(content, file)
        file.flush()
        return run(*command, file.name)


@functools.cache
def alerts() -> dict[str, str]:
    """The expression of each alert."""
    found = {}
    for name, rule in re.findall(r"^      - alert: (\w+)\n(.*?)(?=^      - |\Z)", ALERTS.read_text(), re.MULTILINE | re.DOTALL):
        expression = re.search(r"^        expr: (?:>-\n)?(.*?)(?=^        \w+:)", rule, re.MULTILINE | re.DOTALL)
        assert expression, name
        found[name] = re.sub(r"\s+", " ", expression[1]).strip()
    return found


@functools.cache
def graphs() -> dict[str, str]:
    """Each expression of the dashboard with its panel, as Grafana asks for it."""
    found = {}
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            asked = target["expr"].replace("$__rate_interval", "1m").replace("$job", ".*")
            assert "$" not in asked, asked
            found[f"{panel['title']} {target['refId']}"] = asked
    return found


def names_in(expression: str) -> set[str]:
    """The metrics of an expression, without what stands in quotes."""
    return set(NAME.findall(re.sub(r'"[^"]*"', "", expression)))


def faults(expressions: Sequence[str]) -> str:
    """What does not parse, in promtool's words; empty: nothing."""
    rules = [{"record": f"r{number}", "expr": expression} for number, expression in enumerate(expressions)]
    code, said = run_with(["check", "rules"], {"groups": [{"name": "g", "rules": rules}]})
    return "" if code == 0 else said


def samples(page: str) -> Iterator[tuple[str, str, str]]:
    """Name, labels and value of each sample."""
    for name, labels, value in SAMPLE.findall(page):
        yield name, labels, value


def value_of(page: str, name: str, **labels: str) -> float | None:
    """The sum of the samples with these labels; None: there are none."""
    wanted = {f'{label}="{value}"' for label, value in labels.items()}
    found = [float(value) for other, said, value in samples(page) if other == name and wanted <= set(said.split(","))]
    return sum(found) if found else None


def fires(alert: str, pages: Sequence[str]) -> bool:
    """Whether the alert's own expression finds something on pages that were read a minute apart; the last one is now.
    How long it must do so is not looked at."""
    series: dict[str, list[str]] = {}
    for number, page in enumerate(pages):
        for name, labels, value in samples(page):
            key = f'{name}{{{labels}{"," if labels else ""}job="todo",instance="here",namespace="n"}}'
            values = series.setdefault(key, [])
            values += ["_"] * (number - len(values)) + [value]
    inputs = [{"series": key, "values": " ".join(values)} for key, values in series.items()
              if not {"NaN", "Inf", "+Inf"} & set(values)]

    def answers(expected: list[dict[str, Any]]) -> bool:
        question = {"expr": f"count({alerts()[alert]}) > bool 0", "eval_time": f"{len(pages) - 1}m", "exp_samples": expected}
        code, said = run_with(["test", "rules"], {"tests": [{"interval": "1m", "input_series": inputs,
                                                            "promql_expr_test": [question]}]})
        assert code == 0 or "exp" in said, said
        return code == 0

    is_firing, is_silent = answers([{"labels": "{}", "value": 1}]), answers([])
    assert is_firing != is_silent, alert
    return is_firing

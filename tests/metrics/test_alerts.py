"""Each alert fires when it should, and is silent when it is nearly so: alerts_test.yaml, which promtool runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus import ALERTS, alerts, faults, run

TESTS = Path(__file__).parent / "alerts_test.yaml"


def expectations() -> dict[str, list[str]]:
    """For each alert what its tests expect: alerts or silence."""
    found: dict[str, list[str]] = {name: [] for name in alerts()}
    for test in TESTS.read_text().split("\n  - name: ")[1:]:
        [alert] = re.findall(r"alertname: (\w+)", test)
        assert test.startswith(f"{alert} "), f"the name of a test begins with its alert: {test.splitlines()[0]}"
        found[alert].append("silent" if "exp_alerts: []" in test else "fires")
    return found


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder with the tests, for alerts with mistakes beside them."""
    (tmp_path / "test.yaml").write_text(re.sub(r"rule_files: .*", "rule_files: [alerts.yaml]", TESTS.read_text()))
    return tmp_path


def test_the_rules_are_well_formed() -> None:
    code, said = run("check", "rules", ALERTS)
    assert code == 0, said
    assert f"{len(alerts())} rules found" in said
    assert not faults(list(alerts().values()))


def test_each_alert_has_a_test_that_makes_it_fire_and_one_that_keeps_it_silent() -> None:
    assert {name: sorted(tests) for name, tests in expectations().items()} == {name: ["fires", "silent"] for name in alerts()}


def test_alerts_fire_and_are_silent_as_expected() -> None:
    code, said = run("test", "rules", TESTS)
    assert code == 0, said


def test_each_alert_has_severity_and_summary() -> None:
    rules = ALERTS.read_text().split("      - alert: ")[1:]
    assert len(rules) == len(alerts())
    for rule in rules:
        assert re.search(r"labels: \{severity: (critical|warning)\}", rule), rule
        assert re.search(r"summary: \S", rule), rule


@pytest.mark.parametrize(("expression", "unexpected"), [("vector(1) < 0", "fires"), ("vector(1)", "silent")])
def test_planted_mistakes_are_found(rules: Path, expression: str, unexpected: str) -> None:
    """Alerts that never fire, and alerts that always do: each is named by a test of its own."""
    planted, count = re.subn(r"^        expr: (?:>-\n(?: {10}.*\n)+|.*\n)", f"        expr: {expression}\n",
                             ALERTS.read_text(), flags=re.MULTILINE)
    assert count == len(alerts())
    (rules / "alerts.yaml").write_text(re.sub(r"^        for: .*\n", "", planted, flags=re.MULTILINE))
    code, said = run("test", "rules", rules / "test.yaml")
    assert code != 0
    failed = re.findall(r"name: (\w+) (fires|is silent)", said)
    assert {name for name, kind in failed if unexpected in kind} == set(alerts())

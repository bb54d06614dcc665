"""The arithmetic of `make bench`: ratios and their intervals, goals, and what is shown of them. No speed is asserted."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench.harness import report as reports  # noqa: E402
from bench.harness.pairs import Plan, Side, in_turns, take_pairs  # noqa: E402
from bench.harness.plots import draw  # noqa: E402
from bench.harness.ratios import coverage_of, ratio_of  # noqa: E402
from bench.harness.report import Report, at_least, at_most  # noqa: E402


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    monkeypatch.setattr(reports, "FOLDER", tmp_path)
    monkeypatch.setattr(reports, "describe", lambda: {"processor": "2 × a < b", "commit": "abc"})
    return Report(Plan(pairs=9, seconds=1))


def side(name: str, *rates: float) -> Side:
    left = iter((0.0, *rates))  # the first sample only warms up
    return Side(name, lambda _: {"rate": next(left)})


def test_interval_is_that_of_the_second_smallest_and_greatest_of_nine() -> None:
    ratio = ratio_of([1, 2, 3, 4, 5, 6, 7, 8, 90], [1] * 9)
    assert (ratio.median, ratio.low, ratio.high) == (5, 2, 8)
    assert ratio.coverage == pytest.approx(1 - 2 * (1 + 9) / 2**9)


def test_interval_of_few_pairs_says_how_little_it_covers() -> None:
    ratio = ratio_of([1, 2, 3], [1, 1, 1])
    assert (ratio.low, ratio.high, ratio.coverage) == (1, 3, coverage_of(3, 1))
    assert ratio.coverage == 0.75


def test_ratio_is_that_of_each_pair_and_not_of_the_medians() -> None:
    assert ratio_of([10, 200, 3000], [5, 100, 1500]).median == 2


def test_sides_take_turns_and_the_first_pair_warms_up() -> None:
    order: list[str] = []
    taken = in_turns(2, lambda: order.append("A") or 1.0, lambda: order.append("B") or 2.0)
    assert ("".join(order), taken) == ("ABABAB", ([1.0, 1.0], [2.0, 2.0]))


def test_goal_that_is_missed_says_so_and_fails_the_run(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = take_pairs(report.plan, side("ours", *[150.0] * 9), side("theirs", *[100.0] * 9))
    assert report.compare("rate", "rate", "/s", pairs, at_least(1.4)).held
    assert report.held
    assert not report.compare("rate", "rate", "/s", pairs, at_least(1.6, must=True)).held
    assert not report.compare("cost", "rate", "/s", pairs, at_most(1.4)).held
    assert capsys.readouterr().out.count("NOT HELD") == 2
    assert not report.held


def test_same_thing_on_both_sides_must_be_equal(report: Report) -> None:
    assert report.same_with_itself("x", "rate", "/s", take_pairs(report.plan, side("a", *[104.0] * 9), side("a", *[100.0] * 9))).held
    assert not report.same_with_itself("y", "rate", "/s", take_pairs(report.plan, side("a", *[80.0] * 9), side("a", *[100.0] * 9))).held


def test_planted_slowness_stops_the_processes_of_our_side() -> None:
    states: set[str] = set()
    process = subprocess.Popen(["sleep", "60"])

    def measure(_: float) -> dict[str, float]:
        deadline = time.monotonic() + 30
        while "T" not in states and time.monotonic() < deadline:
            states.add(Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0])
        return {"rate": 1.0}

    try:
        take_pairs(Plan(pairs=0, seconds=0, plant=0.5), Side("ours", measure, lambda: [process.pid]), side("theirs"))
    finally:
        process.kill()
        process.wait()
    assert "T" in states


def test_report_has_samples_and_machine_and_the_plot_is_an_image(report: Report, tmp_path: Path) -> None:
    pairs = take_pairs(report.plan, side("ours", *[150.0] * 9), side("a < b", *[100.0] * 9))
    report.compare("rate < x", "rate", "/s", pairs, at_least(1.4))
    report.alone("count", "", [0.5], at_most(1))
    file = report.write()
    content = json.loads(file.read_text())
    assert content["rows"][0]["ours"] == [150.0] * 9
    assert content["machine"]["commit"] == "abc"
    assert "| rate < x | 150 /s | a < b: 100 /s | 1.50 [1.50-1.50] | ≥ 1.4 | held |" in (tmp_path / "report.md").read_text()
    (plot,) = draw(file, tmp_path)
    assert "1.50" in [node.text for node in ElementTree.parse(plot).iter()]

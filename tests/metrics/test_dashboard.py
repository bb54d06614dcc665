"""The dashboard is what tools/dashboard.py writes, and its expressions are PromQL."""

from __future__ import annotations

import json
import subprocess

from conftest import REPOSITORY
from prometheus import DASHBOARD, faults, graphs


def test_the_dashboard_is_up_to_date() -> None:
    done = subprocess.run([REPOSITORY / "tools" / "dashboard.py", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_expression_parses() -> None:
    assert len(graphs()) >= 30
    assert not faults(list(graphs().values()))
    assert "parse error" in faults(["sum(rate(todo_events_total[5m])"]), "and promtool would say so"


def test_panels_have_places_of_their_own() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)

import os
import pathlib
import sys
import zoneinfo

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / folder) for folder in ("histories", "recurrence", "support")]

from json_lines import Program  # noqa: E402

# Both sides must read the same database: Python would prefer its own package where it has one.
zoneinfo.reset_tzpath(to=[os.environ.get("TZDIR") or "/usr/share/zoneinfo"])


@pytest.fixture
def probe():
    running = Program("histories", "history_probe")
    yield running
    running.close()

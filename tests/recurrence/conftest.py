import os
import pathlib
import sys
import zoneinfo

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "recurrence"), str(TESTS / "support")]

from json_lines import Program  # noqa: E402

# Both sides must read the same database: Python would prefer its own package where it has one.
ZONE_FOLDER = pathlib.Path(os.environ.get("TZDIR") or "/usr/share/zoneinfo")
zoneinfo.reset_tzpath(to=[str(ZONE_FOLDER)])


@pytest.fixture
def probe():
    running = Program("recurrence", "rrule_probe")
    yield running
    running.close()


@pytest.fixture
def libical():
    running = Program("recurrence", "libical_probe")
    yield running
    running.close()


@pytest.fixture(scope="session")
def zone_folder():
    return ZONE_FOLDER

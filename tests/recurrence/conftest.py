import os
import pathlib
import sys
import zoneinfo

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from probe import Probe  # noqa: E402

# Both sides must read the same database: Python would prefer its own package where it has one.
ZONE_FOLDER = pathlib.Path(os.environ.get("TZDIR") or "/usr/share/zoneinfo")
zoneinfo.reset_tzpath(to=[str(ZONE_FOLDER)])


@pytest.fixture
def probe():
    running = Probe()
    yield running
    running.close()


@pytest.fixture
def libical():
    running = Probe("libical_probe")
    yield running
    running.close()


@pytest.fixture(scope="session")
def zone_folder():
    return ZONE_FOLDER

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "grammar"), str(TESTS / "support")]

from json_lines import Program  # noqa: E402


@pytest.fixture(scope="session")
def probe():
    running = Program("grammar", "grammar_probe")
    yield running
    running.close()


@pytest.fixture(scope="session")
def chrono(tmp_path_factory):
    """chrono-node behind the same lines of JSON, with the packages of tools/node."""
    folder = tmp_path_factory.mktemp("chrono")
    shutil.copy(TESTS / "grammar" / "chrono_probe.mjs", folder)
    where = [TESTS.parent / "tools" / "setup", "--where", "node"]
    packages = subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip()
    (folder / "node_modules").symlink_to(packages)
    os.environ["CHRONO_PROBE"] = "node"
    running = Program("grammar", "chrono_probe", str(folder / "chrono_probe.mjs"), env={"TZ": "UTC"})
    yield running
    running.close()

"""Stacks whose screens are watched. TODO_SERVICE names the binary under test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "support"), str(REPOSITORY / "tests" / "identity")]

from service_binary import binary  # noqa: E402

from tools.stack import Stack  # noqa: E402


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One replica on the bus in memory: each test uses users of its own."""
    with Stack(tmp_path_factory.mktemp("live") / "run", broker="memory", service_binary=binary(),
               keep_data=False) as running:
        yield running

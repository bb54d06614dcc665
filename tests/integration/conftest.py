"""Stacks for the scenarios. TODO_SERVICE names the binary under test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "support"), str(REPOSITORY / "tests" / "torture")]

from service_binary import binary  # noqa: E402

from tools.stack import Stack  # noqa: E402


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One replica on Kafka, shared by the tests of a file: each uses users of its own."""
    with Stack(tmp_path_factory.mktemp("stack") / "run", service_binary=binary(), keep_data=False) as running:
        yield running


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[Stack]:
    """One replica on Kafka for a test that breaks things."""
    with Stack(tmp_path / "run", service_binary=binary(), keep_data=False) as running:
        yield running


@pytest.fixture
def two_replicas(tmp_path: Path) -> Iterator[Stack]:
    with Stack(tmp_path / "run", service_binary=binary(), replicas=2, keep_data=False) as running:
        yield running

"""A service under attack, and the honest callers beside it. TODO_SERVICE names the binary under test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "support"), str(REPOSITORY / "tests" / "hostile")]

from honest import Target  # noqa: E402
from service_binary import binary, make_token  # noqa: E402

from tools.stack import Stack  # noqa: E402

DESCRIPTORS = 1_024


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """One replica whose descriptors are few."""
    folder = tmp_path_factory.mktemp("hostile")
    limited = folder / "todo-service"
    limited.write_text(f'#!/bin/sh\nulimit -n {DESCRIPTORS}\nexec "{binary().resolve()}" "$@"\n')
    limited.chmod(0o755)
    with Stack(folder / "run", broker="memory", service_binary=limited, keep_data=False) as stack:
        yield Target(stack)


@pytest.fixture(scope="module")
def roomy_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """One replica with as many descriptors as the machine gives it."""
    folder = tmp_path_factory.mktemp("roomy")
    with Stack(folder / "run", broker="memory", service_binary=binary(), keep_data=False) as stack:
        yield Target(stack)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key that signs tokens; its public half is in keys.json beside it."""
    folder = tmp_path_factory.mktemp("keys")
    (folder / "keys.json").write_text(make_token("--new-key", str(folder / "key.pem")))
    return folder / "key.pem"

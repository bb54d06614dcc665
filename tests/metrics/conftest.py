"""What Prometheus would make of the service. TODO_SERVICE names the binary under test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), *(str(REPOSITORY / "tests" / folder) for folder in ("support", "torture"))]

from service_binary import binary  # noqa: E402
from todo_client import Notified, eventually  # noqa: E402

from tools.stack import Stack  # noqa: E402


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One replica on Kafka that can send webhooks to this machine."""
    with Stack(tmp_path_factory.mktemp("metrics") / "run", service_binary=binary(), keep_data=False,
               service_flags=["--webhook-allow-hosts=127.0.0.1"],
               secrets={"webhook-master-key": "a master key that only the tests of this stack use"}) as running:
        nobody = Notified(running.api_target(), "nobody")
        eventually(lambda: nobody.call("GetChannels").webhook_available, "the channels are known")
        yield running

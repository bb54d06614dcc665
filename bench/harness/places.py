"""Where the sides live: programs of the build, and stacks."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "support")]

from tools.stack import Stack  # noqa: E402
from tools.stack.service import Service  # noqa: E402

from ..peers.then import ServiceThen  # noqa: E402
from ..peers.then import program as program_then  # noqa: E402


def build() -> Path:
    """The build folder whose programs are measured."""
    return REPOSITORY / "build" / os.environ.get("BUILD", "release")


def program(name: str) -> Path:
    """One of the programs of bench/CMakeLists.txt."""
    return build() / "bench" / name


@contextmanager
def running_stack(*flags: str, service: bool = True, secrets: Mapping[str, str] | None = None,
                  binary: Path | None = None, kind: type[Service] = Service, replicas: int = 1,
                  components: Path | None = None, app_protocol: str = "grpc") -> Iterator[Stack]:
    """One replica on Kafka, with a durable PostgreSQL, as in production but on one machine. Without `service` somebody
    else takes its place behind the sidecar."""
    binary = binary or build() / "todo-service"
    with tempfile.TemporaryDirectory(prefix="todo-bench-") as folder, \
            Stack(Path(folder) / "run", service_binary=binary if service else None, service_flags=flags, service_kind=kind,
                  secrets=secrets, replicas=replicas, components=components, app_protocol=app_protocol,
                  keep_data=False) as stack:
        yield stack


@contextmanager
def stack_then() -> Iterator[Stack]:
    """The service of b64976b, with broker, sidecar and database of its own."""
    with running_stack(binary=program_then(), kind=ServiceThen) as stack:
        yield stack

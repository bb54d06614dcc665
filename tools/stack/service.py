"""One replica of todo-service itself."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from .dapr import Daprd
from .node import Command, Node
from .place import Place, StackError
from .postgres import Postgres


# For few users who call as often as many would.
RAISED_LIMITS = {f"--user-{name}": "1000000" for name in ("calls-per-second", "call-burst", "calls-at-a-time")}


class Service(Node):
    def __init__(
        self,
        place: Place,
        number: int,
        binary: Path,
        postgres: Postgres,
        daprd: Daprd,
        broker: str,
        flags: Sequence[str],
        env: Mapping[str, str],
        raise_limits: bool,
        role: str = "all",
    ) -> None:
        super().__init__(f"service-{number}", place)
        self.number = number
        self.role = role
        self.flags = list(flags)  # change them and restart to try another setting
        self.env = dict(env)
        self.binary = binary  # so with the program
        self._postgres = postgres
        self._daprd = daprd
        self._broker = broker
        self._raise_limits = raise_limits

    @property
    def api_target(self) -> str:
        """Where clients call."""
        return f"127.0.0.1:{self.place.ports[f'api-{self.number}']}"

    def prepare(self) -> None:
        if not self.binary.is_file():
            raise StackError(f"{self.binary} is not built yet")

    def own_flags(self) -> dict[str, str]:
        """What the runner sets, unless `flags` say otherwise. Another release may know others."""
        return {
            "--role": self.role,
            "--app-port": str(self.place.ports[f"app-{self.number}"]),
            "--api-port": str(self.place.ports[f"api-{self.number}"]),
            "--web-port": str(self.place.ports[f"web-{self.number}"]),
            "--ops-port": str(self.place.ports[f"ops-{self.number}"]),
            "--dapr-grpc-endpoint": self._daprd.grpc_endpoint,
            "--pubsub": "kafka-pubsub",
            "--bus": self._broker,
            "--log-level": "info",
            **(RAISED_LIMITS if self._raise_limits else {}),
        }

    def command(self) -> Command:
        given = {flag.split("=", 1)[0] for flag in self.flags}
        argv = [str(self.binary), *(f"{name}={value}" for name, value in self.own_flags().items() if name not in given)]
        # The flags of tokens and --dev-identity exclude each other.
        argv += [] if any(flag.startswith("--auth-") for flag in given) else ["--dev-identity"]
        argv += self.flags
        # The URL holds a password, and everybody can read a process's arguments.
        env = {"TODO_DATABASE_URL": self._postgres.url, **self._daprd.tokens, "POD_NAME": f"todo-service-{self.number}"}
        return Command(argv, {**env, **self.env})

    def not_ready(self) -> str | None:
        """It says "serving" in its log when it can answer; the port is tried as well, from outside."""
        if not any(_is_event(line, "serving") for line in self.output().splitlines()):
            return 'its log has no "serving" event'
        return self._not_open("app" if self.role == "events" else "api")

    def app_port_closed(self) -> str | None:
        """None when daprd would find it."""
        return self._not_open("app")

    def _not_open(self, kind: str) -> str | None:
        try:
            socket.create_connection(("127.0.0.1", self.place.ports[f"{kind}-{self.number}"]), timeout=2).close()
        except OSError as error:
            return f"{kind} port: {error}"
        return None


def _is_event(line: str, event: str) -> bool:
    if f'"{event}"' in line:
        with suppress(ValueError):
            content = json.loads(line)
            return isinstance(content, dict) and content.get("event") == event
    return False

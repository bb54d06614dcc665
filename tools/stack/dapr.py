"""Dapr's two processes: the scheduler, which keeps the reminder jobs, and daprd, the sidecar of each replica."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from .installed import REPOSITORY, where
from .node import Command, Node
from .place import Place, StackError

APP_ID = "todo-service"
API_APP_ID = "todo-service-api"  # of the role api: jobs and work topics go to the other one
NAMESPACE = "todo-app"
COMPONENTS = REPOSITORY / "deploy" / "components"

# SIDECAR=container: daprd is that of Dapr's own image, run by Docker.
IN_CONTAINER = os.environ.get("SIDECAR") == "container"

# Longer than the service's own drain of 10 s, so that its last calls still find a sidecar.
GRACEFUL_SHUTDOWN_SECONDS = 15


class Scheduler(Node):
    """Ready means that it answers. After a kill -9 it keeps jobs back for another 20 s, until the lease of its former
    self has run out; see `Stack.wait_jobs`."""

    def __init__(self, place: Place) -> None:
        super().__init__("scheduler", place)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.place.ports['scheduler']}"

    def command(self) -> Command:
        ports = self.place.ports
        peer = f"http://127.0.0.1:{ports['scheduler-etcd-peer']}"
        flags = {
            "port": ports["scheduler"],
            "listen-address": "127.0.0.1",
            "override-broadcast-host-port": self.address,
            "etcd-data-dir": self.place.directory / "scheduler",
            "etcd-client-port": ports["scheduler-etcd-client"],
            "etcd-client-listen-address": "127.0.0.1",
            "etcd-initial-cluster": f"dapr-scheduler-server-0={peer}",
            # There is nobody to hold an election with: not waiting for others saves two seconds.
            "etcd-initial-election-tick-advance": "true",
            "healthz-port": ports["scheduler-healthz"],
            "healthz-listen-address": "127.0.0.1",
            "metrics-port": ports["scheduler-metrics"],
            "metrics-listen-address": "127.0.0.1",
            "identity-directory-write": self.place.directory / "scheduler-identity",
        }
        argv = [str(where("scheduler")), *(f"--{name}={value}" for name, value in flags.items()), "--log-as-json"]
        return Command(argv)

    def not_ready(self) -> str | None:
        return _not_ok(self.place.ports["scheduler-healthz"], "/healthz")

    def not_serving_jobs(self) -> str | None:
        """None when it has a sidecar to send jobs to. Only its log tells: its health says nothing about jobs."""
        return None if "Sidecar connected" in self.output() else "it has not let a sidecar in"


class Daprd(Node):
    """The sidecar of replica `number`. Ready means that it takes our calls; whether it delivers to the service
    depends on the service's own health, which it asks for every two seconds."""

    stop_within = GRACEFUL_SHUTDOWN_SECONDS + 5.0

    def __init__(
        self,
        place: Place,
        number: int,
        scheduler: Scheduler,
        broker: str,
        extra_components: Path | None,
        app_id: str = APP_ID,
        configuration: Path | None = None,
        app_protocol: str = "grpc",
    ) -> None:
        super().__init__(f"daprd-{number}", place)
        self._app_protocol = app_protocol
        self.number = number
        self.app_id = app_id
        self._configuration = configuration
        self._scheduler = scheduler
        self._broker = broker
        self._extra_components = extra_components

    @property
    def grpc_endpoint(self) -> str:
        return f"127.0.0.1:{self.place.ports[f'daprd-grpc-{self.number}']}"

    @property
    def http_port(self) -> int:
        return self.place.ports[f"daprd-http-{self.number}"]

    @property
    def tokens(self) -> dict[str, str]:
        """The password each side must show to the other, as both sides want it in their environment."""
        return {name: self.place.secret("dapr", name) for name in ("APP_API_TOKEN", "DAPR_API_TOKEN")}

    def prepare(self) -> None:
        values = {"secrets_file": str(self.place.secrets_file)}
        if "kafka" in self.place.ports:
            values["kafka_brokers"] = f"127.0.0.1:{self.place.ports['kafka']}"
        render_components(self._components, self._broker, values, self._extra_components)

    def command(self) -> Command:
        ports, number = self.place.ports, self.number
        flags = {
            "app-id": self.app_id,
            "app-protocol": self._app_protocol,
            "app-port": ports[f"app-{number}"],
            "app-channel-address": "127.0.0.1",
            "dapr-grpc-port": ports[f"daprd-grpc-{number}"],
            "dapr-http-port": ports[f"daprd-http-{number}"],
            "dapr-internal-grpc-port": ports[f"daprd-internal-{number}"],
            "dapr-internal-grpc-listen-address": "127.0.0.1",
            "dapr-listen-addresses": "127.0.0.1",
            "metrics-port": ports[f"daprd-metrics-{number}"],
            "metrics-listen-address": "127.0.0.1",
            "resources-path": self._components,
            "scheduler-host-address": self._scheduler.address,
            "placement-host-address": "",
            "app-health-probe-interval": 2,
            "dapr-graceful-shutdown-seconds": GRACEFUL_SHUTDOWN_SECONDS,
        }
        env = {**self.tokens, "NAMESPACE": NAMESPACE, "POD_NAME": f"{APP_ID}-{number}"}
        program = self._docker(env) if IN_CONTAINER else [str(where("daprd"))]
        argv = [*program, *(f"--{name}={value}" for name, value in flags.items())]
        if self._configuration:
            argv.append(f"--config={self._configuration}")
        return Command([*argv, "--enable-app-health-check", "--log-as-json"], env)

    def kill(self) -> None:
        if IN_CONTAINER and self.pid:
            # Docker's client is no parent of the container.
            subprocess.run(["docker", "kill", self._container], capture_output=True, check=False)
        super().kill()

    def freeze(self) -> None:
        super().freeze()
        if IN_CONTAINER:
            subprocess.run(["docker", "pause", self._container], capture_output=True, check=True)

    def thaw(self) -> None:
        if IN_CONTAINER:
            subprocess.run(["docker", "unpause", self._container], capture_output=True, check=False)
        super().thaw()

    def not_ready(self) -> str | None:
        return _not_ok(self.http_port, "/v1.0/healthz/outbound")

    def not_delivering(self) -> str | None:
        """None when it has found the service healthy and so delivers events to it. Only its log tells."""
        if '"App entered healthy status"' in self.output():
            return None
        return "it has not found the service healthy"

    def not_scheduling(self) -> str | None:
        """None when it has found the scheduler since its start. It does not notice a later loss."""
        return _not_ok(self.http_port, "/v1.0/healthz")

    def metadata(self) -> dict[str, Any]:
        """What daprd says of itself: its components and the subscriptions it got from the service."""
        status, body = http_get(self.http_port, "/v1.0/metadata", {"dapr-api-token": self.tokens["DAPR_API_TOKEN"]})
        if status != 200:
            raise StackError(f"{self.name}: metadata: HTTP status {status}")
        content: dict[str, Any] = json.loads(body)
        return content

    @property
    def _container(self) -> str:
        """A name that no other stack has: the port is ours alone."""
        return f"todo-{self.name}-{self.http_port}"

    def _docker(self, env: Mapping[str, str]) -> list[str]:
        """The words before daprd's flags. It sees the same files under the same names, and the network of this machine."""
        files = [self._components, self.place.secrets_file, *([self._configuration] if self._configuration else [])]
        found = re.search(r"github\.com/dapr/dapr v(\S+)", (REPOSITORY / "tools" / "dapr" / "go.mod").read_text("utf-8"))
        assert found
        return ["docker", "run", "--rm", f"--name={self._container}", "--network=host", f"--user={os.getuid()}:{os.getgid()}",
                *(f"--volume={file}:{file}:ro" for file in files), *(f"--env={name}" for name in env),
                f"docker.io/daprio/daprd:{found[1]}", "./daprd"]

    @property
    def _components(self) -> Path:
        return self.place.directory / "components" / self.name


def render_components(target: Path, broker: str, values: Mapping[str, str], extra: Path | None = None) -> None:
    """Fills the templates of deploy/components; `extra` is a folder of further ones, or of replacements by name."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for folder in (COMPONENTS / "common", COMPONENTS / broker, extra):
        for template in sorted(folder.glob("*.yaml")) if folder else ():
            text = Template(template.read_text(encoding="utf-8")).substitute(values)
            (target / template.name).write_text(text, encoding="utf-8")


def http_get(port: int, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    """Status and body; status 0 when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def _not_ok(port: int, path: str) -> str | None:
    status, _ = http_get(port, path)
    if 200 <= status < 300:
        return None
    return f"{path} on port {port} " + (f"answers {status}" if status else "does not answer")

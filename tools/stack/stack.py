"""The whole: PostgreSQL, the broker, the scheduler, and one service with its own daprd per replica."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Literal

from .dapr import API_APP_ID, APP_ID, Daprd, Scheduler
from .kafka import TOPICS, Kafka, Topic
from .node import Node, wait_until
from .place import Place, StackError
from .postgres import Postgres
from .service import Service

Broker = Literal["kafka", "memory"]


class Stack:
    """Everything the service needs, in one folder, on loopback.

    with Stack(tmp_path, service_binary=binary) as stack:
        channel = grpc.insecure_channel(stack.api_target())
        stack.kill("service-0")
        stack.start_one("service-0")

    Processes are called `postgres`, `kafka`, `scheduler`, `daprd-N`, `service-N`. Without a binary there are no
    services, and daprd waits for one. A process keeps its ports when it is started again, and so does a later stack
    in the same folder where it can.

    Not thread-safe. Blocks until what was asked for is true, and raises StackError, with the process's last words,
    when that takes too long.
    """

    def __init__(
        self,
        directory: Path | str,
        *,
        broker: Broker = "kafka",
        service_binary: Path | str | None = None,
        replicas: int = 1,
        roles: Sequence[str] = (),
        service_flags: Sequence[str] = (),
        service_env: Mapping[str, str] | None = None,
        service_kind: type[Service] = Service,
        topics: Sequence[Topic] = TOPICS,
        components: Path | None = None,
        configuration: Path | None = None,
        app_protocol: str = "grpc",
        secrets: Mapping[str, str] | None = None,
        preferred_ports: Mapping[str, int] | None = None,
        keep_data: bool = True,
        raise_limits: bool = True,
    ) -> None:
        """`roles` are those of the replicas, one each, instead of `replicas` that do everything. `service_flags` (as
        `--name=value`) replace the runner's own of the same name; `raise_limits` lets each user call as often as
        they like, unless `service_flags` say otherwise; `service_kind` knows the flags of another release; `components` is
        a folder of further component templates; `configuration` is a file of the sidecars; `app_protocol` is what they
        speak with an app in the place of the service; `secrets` are keys of `todo-secrets`. With `keep_data=False` nothing
        but the logs remains after `stop`."""
        self.directory = Path(directory).resolve()
        self.broker = broker
        self._keep_data = keep_data
        self._preferred_ports = dict(preferred_ports or {})
        self._secrets = dict(secrets or {})
        self._place = place = Place(self.directory)
        self.postgres = Postgres(place)
        self._kafka = Kafka(place, topics) if broker == "kafka" else None
        self.scheduler = Scheduler(place)
        roles = roles or ("all",) * replicas
        self.daprds = [
            Daprd(place, n, self.scheduler, broker, components, API_APP_ID if role == "api" else APP_ID, configuration,
                  app_protocol)
            for n, role in enumerate(roles)
        ]
        self.services: list[Service] = []
        if service_binary is not None:
            binary = Path(service_binary).resolve()
            self.services = [
                service_kind(place, n, binary, self.postgres, daprd, broker, service_flags, service_env or {},
                        raise_limits, role)
                for n, (daprd, role) in enumerate(zip(self.daprds, roles, strict=True))
            ]
        self._nodes: dict[str, Node] = {node.name: node for node in (*self._base(), *self.daprds, *self.services)}
        self._open = False

    # Life.

    def start(self) -> None:
        """Starts everything and waits for it; stops again whatever came up when something does not."""
        self._place.open(self._port_names(), self._preferred_ports)
        self._open = True
        try:
            # daprd ends when it does not find its database or broker, so those come first.
            self._at_once([node.start for node in self._base()])
            # Dapr's state store takes its connection from the secret store, as in a cluster.
            for name, value in {"database-url": self.postgres.url, **self._secrets}.items():
                self.add_secret(name, value)
            # The first sidecar alone: two that make the state store's tables at once stand in each other's way.
            for numbers in (range(len(self.daprds))[:1], range(len(self.daprds))[1:]):
                self._at_once([partial(self._start_replica, n) for n in numbers])
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends everything in the order in which nobody loses what it still needs. Harmless when nothing runs."""
        if not self._open:
            return
        self._place.closing.set()
        self._at_once([node.stop for node in self.services])
        self._at_once([node.stop for node in self.daprds])
        self._at_once([node.stop for node in self._base()])
        if not self._keep_data:
            self._place.remove_data()
        self._place.close()
        self._open = False

    def __enter__(self) -> Stack:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wipe(self) -> None:
        """Forgets all data of the folder. Only while it is stopped."""
        if self._open:
            raise StackError("stop the stack before wiping its folder")
        self._place.open((), {})
        try:
            self._place.remove_data()
        finally:
            self._place.close()

    # One process at a time, by name.

    @property
    def names(self) -> list[str]:
        return list(self._nodes)

    def node(self, name: str) -> Node:
        try:
            return self._nodes[name]
        except KeyError:
            raise StackError(f"no process '{name}' here; there are {', '.join(self._nodes)}") from None

    def start_one(self, name: str) -> None:
        self.node(name).start()

    def stop_one(self, name: str) -> None:
        self.node(name).stop()

    def kill(self, name: str) -> None:
        """kill -9, children included."""
        self.node(name).kill()

    def freeze(self, name: str) -> None:
        self.node(name).freeze()

    def thaw(self, name: str) -> None:
        self.node(name).thaw()

    def restart(self, name: str) -> None:
        self.node(name).restart()

    def died(self) -> list[str]:
        """The processes that ended without having been asked to."""
        return [name for name, node in self._nodes.items() if node.died]

    # Where things are.

    @property
    def kafka(self) -> Kafka:
        if self._kafka is None:
            raise StackError("this stack runs on the in-memory bus")
        return self._kafka

    @property
    def ports(self) -> Mapping[str, int]:
        return self._place.ports

    @property
    def logs(self) -> Path:
        return self._place.logs

    @property
    def database_url(self) -> str:
        return self.postgres.url

    def api_target(self, replica: int = 0) -> str:
        """host:port of a replica's public API."""
        return f"127.0.0.1:{self.ports[f'api-{replica}']}"

    def web_url(self, replica: int = 0) -> str:
        """Where a replica takes calls over HTTP."""
        return f"http://127.0.0.1:{self.ports[f'web-{replica}']}"

    def app_target(self, replica: int = 0) -> str:
        """host:port of the callbacks that daprd calls."""
        return f"127.0.0.1:{self.ports[f'app-{replica}']}"

    def tokens(self) -> dict[str, str]:
        """APP_API_TOKEN and DAPR_API_TOKEN, for a test that plays the part of daprd or of the service."""
        return self.daprds[0].tokens

    def add_secret(self, name: str, value: str) -> None:
        """Puts a key into `todo-secrets`, where the Secrets API finds it when daprd is started the next time."""
        self._place.secret("todo-secrets", name, value)

    def wait_jobs(self, replica: int = 0, within: float = 40) -> None:
        """Returns when jobs can be scheduled and fire: soon after a clean start, 20 s after a killed scheduler."""
        daprd = self.daprds[replica]
        wait_until(self.scheduler.not_serving_jobs, "scheduler serves no jobs", within, self.scheduler.trouble)
        wait_until(daprd.not_scheduling, f"{daprd.name} has no scheduler", within, daprd.trouble)

    def _base(self) -> list[Node]:
        return [self.postgres, *([self._kafka] if self._kafka else []), self.scheduler]

    def _port_names(self) -> list[str]:
        names = ["postgres", *(["kafka", "kafka-controller"] if self._kafka else []), "scheduler"]
        names += [f"scheduler-{part}" for part in ("etcd-client", "etcd-peer", "healthz", "metrics")]
        for number in range(len(self.daprds)):
            names += [f"{part}-{number}" for part in ("app", "api", "web", "ops")]
            names += [f"daprd-{part}-{number}" for part in ("grpc", "http", "internal", "metrics")]
        return names

    def _start_replica(self, number: int) -> None:
        daprd = self.daprds[number]
        if not self.services:
            daprd.start()
            return
        service = self.services[number]
        service.launch()
        # daprd looks for the service's port at once and then every two seconds: a moment's patience makes deliveries
        # start two seconds earlier. Not more than that, in case the service wants to see daprd first.
        with suppress(StackError):
            wait_until(service.app_port_closed, "app port", 5, service.trouble)
        daprd.start()
        service.wait_ready()
        wait_until(daprd.not_delivering, f"{daprd.name} delivers nothing", 60, daprd.trouble)

    def _at_once(self, actions: Iterable[Callable[[], None]]) -> None:
        """Does all at the same time; the first failure ends the waiting of the others and is raised."""
        with ThreadPoolExecutor(max_workers=16) as pool:
            running = [pool.submit(action) for action in actions]
            try:
                for one in running:
                    one.result()
            except BaseException:
                self._place.closing.set()
                raise

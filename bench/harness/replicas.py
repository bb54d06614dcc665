"""A whole stack as a side: its calls, what each process uses meanwhile, and the wait until all events have had their
effect."""

from __future__ import annotations

import time
from collections.abc import Callable

from .databases import Child, Costs, Server
from .pairs import Sample, Side
from .places import Stack, program
from .processes import Used, used_by
from .session import Session
from todo_client import acknowledged, eventually  # isort: skip  (places has set the search path)

# Asked through one session: a psql for each look would cost the server more than the look.
UNPUBLISHED = """select (select count(*) from changes c join relay_shards s on s.shard = c.shard where c.id > s.position)
                      + (select count(*) from messages m join relay_shards s on s.shard = m.shard where m.id > s.message_position)"""
MEASURED = ("service", "daprd", "kafka")


class Calls(Side):
    """Clients of the public API as a side."""

    def __init__(self, replica: Replica, name: str, flags: list[str]) -> None:
        super().__init__(name, lambda seconds: replica.measured(lambda: self.run(seconds)), replica.pids)
        self._child = Child()
        self._command = [program("call_load"), f"--target={replica.stack.api_target()}", *flags]

    def run(self, seconds: float) -> Sample:
        """Only the calls, without the wait for what comes of them."""
        answer = self._child.run([*self._command, f"--seconds={seconds}"])
        return {**answer, "rate": answer["count"] / answer["seconds"],
                "client_cpu_us": answer["cpu_seconds"] / answer["count"] * 1e6}


class Replica:
    def __init__(self, stack: Stack, name: str, *, consumes: bool = True) -> None:
        self.stack = stack
        self.name = name
        self._consumes = consumes
        self._server = Server(stack.postgres)
        self._session = Session(stack)

    def calls(self, clients: int, *, users: int = 1_000, kind: str = "mixed", rate: float = 0, name: str = "") -> Calls:
        """As many clients as that; `rate` makes it the open loop."""
        return Calls(self, name or self.name, [f"--clients={clients}", f"--users={users}", f"--kind={kind}", f"--rate={rate}"])

    def pids(self) -> list[int | None]:
        return [service.pid for service in self.stack.services]

    def measured(self, run: Callable[[], Sample]) -> Sample:
        """What `run` answers, with the cost of each of its operations until all of its events have had their effect.
        `sustained` is the rate with that time counted in."""
        before, costs, began = self._used(), Costs(self._server), time.monotonic()
        sample = run()
        self.settle()
        took, count = time.monotonic() - began, sample["all_count"]
        for name, used in self._used().items():
            spent = used - before[name]
            sample |= {f"{name}_cpu_us": spent.cpu / count * 1e6, f"{name}_switches": spent.switches / count}
        return {**sample, "sustained": count / took, **costs.of(count)}

    def settle(self) -> None:
        """Until everything is published and read."""
        eventually(lambda: self._session.run(UNPUBLISHED) == ["0"], "everything is published", every=0.1)
        if self._consumes:
            acknowledged(self.stack)

    def _used(self) -> dict[str, Used]:
        """By the kind of process, of all replicas together."""
        used = {name: Used() for name in MEASURED}
        for name in self.stack.names:
            kind = name.split("-")[0]
            if kind in used:
                used[kind] += used_by(self.stack.node(name).pid)
        return used

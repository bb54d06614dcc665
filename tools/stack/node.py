"""One process of the stack: started, watched until it is ready, stopped, killed, frozen.

Children must not outlive their runner, even when that is killed with -9. So each is started through `setpriv
--pdeathsig`, which asks the kernel to kill it when its parent goes. "Parent" is the *thread* that started it, which
is why one thread of this module starts them all, and lives until the interpreter ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from . import process_table
from .place import Place, StackError
from .process_table import ProcessId

_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stack-starter")

# Settings of the caller's shell that would silently change what the stack runs.
_OWN_VARIABLES = ("TODO_", "DAPR_", "APP_API_TOKEN", "PG", "KAFKA_", "NAMESPACE", "POD_NAME")


@dataclass(frozen=True)
class Command:
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)  # added to the runner's environment
    cwd: Path | None = None
    user: str | None = None  # run as this user; needs root


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(_OWN_VARIABLES)}
    return {**inherited, **extra}


def as_user(user: str | None) -> list[str]:
    """The words to put before a command so that another user runs it."""
    return ["--reuid", user, "--regid", user, "--init-groups"] if user else []


def wait_until(
    not_ready: Callable[[], str | None], what: str, within: float, give_up: Callable[[], str | None] = lambda: None
) -> None:
    """Polls until `not_ready` returns None; its last answer says what was missing when the time is over.

    `give_up` returns a reason as soon as waiting has become pointless.
    """
    deadline = time.monotonic() + within
    pause = 0.01
    while True:
        missing = not_ready()
        if missing is None:
            return
        if reason := give_up():
            raise StackError(f"{what}: {reason}")
        if time.monotonic() > deadline:
            raise StackError(f"{what}: not within {within:g} s: {missing}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


class Node:
    """A named process. Subclasses say how it is prepared, started and known to be ready.

    Not for use from two threads at once; different nodes are independent.
    """

    ready_within = 180.0
    stop_within = 20.0
    stop_signal = signal.SIGTERM

    def __init__(self, name: str, place: Place) -> None:
        self.name = name
        self.place = place
        self.log = place.logs / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._id: ProcessId | None = None
        self._log_start = 0

    # What subclasses define.

    def prepare(self) -> None:
        """Makes files and folders; repeating it is harmless."""

    def command(self) -> Command:
        raise NotImplementedError

    def not_ready(self) -> str | None:
        """None when the process does its work, otherwise what is still missing. Quick, never blocks for long."""
        raise NotImplementedError

    def left_behind(self) -> list[ProcessId]:
        """Children that may outlive the process; they are killed before it is started again."""
        return []

    # What callers use.

    @property
    def pid(self) -> int | None:
        """The pid while the process runs."""
        return self._id.pid if self._id and self._id.alive() else None

    @property
    def died(self) -> bool:
        """Whether it ended although nobody here asked for it."""
        return self._process is not None and self._process.poll() is not None

    @property
    def exit_code(self) -> int | None:
        return self._process.poll() if self._process else self._last_exit

    _last_exit: int | None = None

    def start(self) -> None:
        """Starts the process and returns when it is ready; StackError with its last words when it does not come up."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Starts the process without waiting for it."""
        if self.pid:
            raise StackError(f"{self.name} already runs (process {self.pid})")
        self._kill_left_behind()
        self.prepare()
        command = self.command()
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        self._process = _starter.submit(self._spawn, command).result()
        self._id = process_table.identify(self._process.pid)
        self.place.remember(self.name, [self._id] if self._id else [])

    def wait_ready(self) -> None:
        try:
            wait_until(self.not_ready, f"{self.name} did not start", self.ready_within, self.trouble)
        except StackError as error:
            raise StackError(f"{error}\n{self.last_words()}") from None

    def stop(self) -> None:
        """Asks the process to end and waits; a process that does not listen is killed. Harmless when it is down."""
        if self.pid:
            self.thaw()
            assert self._id
            self._id.signal(self.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self._reap(self.stop_within)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to the process and all its children: what a power cut would do. Harmless when it is down."""
        if self._id:
            process_table.kill_all(process_table.tree(self._id))
        if self._process:
            self._last_exit = self._reap(None)
        self._kill_left_behind()
        self._process = None
        self._id = None
        self.place.remember(self.name, [])

    def freeze(self) -> None:
        """SIGSTOP to the process and all its children: alive, connected, and silent."""
        assert self._id, f"{self.name} does not run"
        frozen = process_table.tree(self._id)
        self.place.remember(self.name, frozen)
        for process in frozen:
            process.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Ends a freeze; harmless otherwise."""
        if self._id:
            for process in process_table.tree(self._id):
                process.signal(signal.SIGCONT)

    def restart(self) -> None:
        self.stop()
        self.start()

    def output(self) -> str:
        """What the process has written since its last start."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode("utf-8", errors="replace")

    def last_words(self, lines: int = 20) -> str:
        tail = "\n".join(f"    {line[:400]}" for line in self.output().splitlines()[-lines:])
        return f"{tail or '    (it wrote nothing)'}\n  whole log: {self.log}"

    def _spawn(self, command: Command) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C in the terminal reaches the runner only, which then stops all in order.
        argv = ["setpriv", *as_user(command.user), "--pdeathsig", "KILL", "--", *command.argv]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                argv,
                env=environment(command.env),
                cwd=command.cwd or self.place.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def trouble(self) -> str | None:
        """Why waiting for it has become pointless, if it has."""
        if self.died:
            return f"it ended with exit code {self.exit_code}"
        return "the stack is being stopped" if self.place.closing.is_set() else None

    def _reap(self, timeout: float | None) -> int:
        assert self._process
        return self._process.wait(timeout)

    def _kill_left_behind(self) -> None:
        def still_there() -> str | None:
            rest = self.left_behind()
            process_table.kill_all(rest)
            return f"processes {[p.pid for p in rest]} do not go away" if rest else None

        wait_until(still_there, f"{self.name} could not be cleaned up", within=10)

"""Kills, freezes and restarts the processes of a stack at random, several at a time."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable

from todo_client import insist_on_start

from tools.stack import Stack

# How often each is hit. A scheduler that dies may take both daprds with it, and a broker is slow to come back.
KINDS = {"service": 4, "daprd": 3, "postgres": 3, "kafka": 2, "scheduler": 1}
ACTIONS = {"kill": 60, "freeze": 28, "restart": 12}
# The relay's lease is 4 s, a Kafka session 6 s, a database session may idle in a transaction for 3 s.
SHORT_FREEZE = (0.3, 3.0)
LONG_FREEZE = (5.0, 9.0)


def kind_of(name: str) -> str:
    return name.split("-")[0]


class Tormentor:
    """Torments in threads of its own from `start` until `stop`; then every process runs again. Each has one process in
    hand at a time, so up to `hands`, and at most half of all, are away at once. A further thread starts again what ends
    by itself, until `leave`: daprd may end a moment after its scheduler did.

    counts: kill, freeze, restart. `fallen`: what ended by itself because something else was away, and was started
    again as an orchestrator would. `trouble`: what must not happen, in words.
    """

    def __init__(self, stack: Stack, seed: int, kinds: Iterable[str] = KINDS, hands: int = 3,
                 rest: tuple[float, float] = (0.1, 1.5)) -> None:
        self._stack = stack
        self._names = [name for name in stack.names if kind_of(name) in kinds]
        self._rest = rest
        self._lock = threading.Lock()
        self._in_hand: set[str] = set()
        self._stopping = threading.Event()
        self.counts: Counter[str] = Counter()
        self.fallen: Counter[str] = Counter()
        self.trouble: list[str] = []
        self._leaving = threading.Event()
        self._threads = [threading.Thread(target=self._torment, args=(random.Random(f"{seed}-hand-{n}"),), daemon=True)
                         for n in range(min(hands, max(1, len(self._names) // 2)))]  # some run at any time
        self._nurse = threading.Thread(target=self._look_after, daemon=True)

    @property
    def kills(self) -> int:
        return self.counts["kill"]

    def start(self) -> None:
        for thread in (*self._threads, self._nurse):
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def have(self, name: str, action: Callable[[str], None]) -> None:
        """Runs `action(name)` when the process is in nobody's hand."""
        while True:
            with self._lock:
                if name not in self._in_hand:
                    self._in_hand.add(name)
                    break
            time.sleep(0.05)
        self._in_turn(name, action)

    def leave(self) -> None:
        self._leaving.set()
        self._nurse.join()

    def _look_after(self) -> None:
        while not self._leaving.wait(0.2):
            if fallen := self._take_fallen():
                self._in_turn(fallen, self._raise)

    def _torment(self, rng: random.Random) -> None:
        while not self._stopping.wait(rng.uniform(*self._rest)):
            if name := self._take(rng):
                action = rng.choices(list(ACTIONS), list(ACTIONS.values()))[0]
                self._in_turn(name, lambda name, action=action: self._do(action, name, rng))

    def _take(self, rng: random.Random) -> str | None:
        with self._lock:
            free = [name for name in self._names if name not in self._in_hand and self._stack.node(name).pid]
            if not free:
                return None
            name = rng.choices(free, [KINDS[kind_of(name)] for name in free])[0]
            self._in_hand.add(name)
            return name

    def _take_fallen(self) -> str | None:
        with self._lock:
            for name in self._stack.names:
                if name not in self._in_hand and self._stack.node(name).died:
                    self._in_hand.add(name)
                    return name
        return None

    def _in_turn(self, name: str, action: Callable[[str], None]) -> None:
        try:
            action(name)
        except Exception as error:  # noqa: BLE001  a thread that ends silently would test less than we think
            self.trouble.append(f"{name}: {error}")
        finally:
            with self._lock:
                self._in_hand.discard(name)

    def _do(self, action: str, name: str, rng: random.Random) -> None:
        self.counts[action] += 1
        if action == "freeze":
            self._stack.freeze(name)
            time.sleep(rng.uniform(*(LONG_FREEZE if rng.random() < 0.4 else SHORT_FREEZE)))
            self._stack.thaw(name)
            return
        if action == "kill":
            self._stack.kill(name)
            time.sleep(rng.uniform(0.5, 4.0) if rng.random() < 0.4 else rng.uniform(0.0, 0.5))
        else:
            self._stack.stop_one(name)
        insist_on_start(self._stack, name)

    def _raise(self, name: str) -> None:
        """Starts again what ended by itself. The service has no reason to."""
        node = self._stack.node(name)
        if name.startswith("service"):
            self.trouble.append(f"{name} ended by itself, exit code {node.exit_code}\n{node.last_words()}")
        self.fallen[name] += 1
        self._stack.kill(name)
        insist_on_start(self._stack, name)

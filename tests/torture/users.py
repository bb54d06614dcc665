"""Many users who change their tasks, and insist on an answer.

Every change has a request id and is repeated with it, at whichever replica, until the service has accepted or refused
it. What was answered is kept: it is what the checks hold the service to.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
from todo_client import protos, reason_of

from tools.stack import Stack

# The call may or may not have taken effect, or cannot be carried out now: repeat it with the same request id.
REPEAT = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DEADLINE_EXCEEDED,
          grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED}
# What may be refused here: a task that somebody deleted meanwhile, an etag that is old.
REFUSED = {"TASK_NOT_FOUND", "STALE_ETAG"}

ATTEMPT_SECONDS = 2.5
RULES = ("FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=MONTHLY", "FREQ=DAILY;COUNT=3", "FREQ=YEARLY;COUNT=2")
OPERATIONS = {"create": 30, "complete": 32, "uncomplete": 12, "update": 16, "delete": 6, "look": 4}


@dataclass
class Mutation:
    user: str
    kind: str  # the event type that it leads to
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    attempts: int = 0
    answer: Any = None           # the task, when it was accepted
    refusal: str | None = None   # the reason, when it was refused
    began: float = field(default_factory=time.monotonic)
    waited: float = 0.0          # seconds until the last attempt ended

    @property
    def may_have_happened(self) -> bool:
        """A refused call whose earlier attempts had no answer: one of those may have been carried out since."""
        return self.answer is not None or self.attempts > 1


class Users:
    """Threads that change tasks until `stop`. `mutations` is complete after it, and so is `trouble`: what the service
    must never answer, in words."""

    def __init__(self, stack: Stack, seed: int, users: int = 40, threads: int = 8, pause: float = 0.04) -> None:
        messages, stubs = protos()
        self._messages: Any = messages
        # A replica that comes back is noticed soon.
        options = [("grpc.enable_retries", 0), ("grpc.initial_reconnect_backoff_ms", 100),
                   ("grpc.min_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500)]
        self._channels = [grpc.insecure_channel(service.api_target, options) for service in stack.services]
        self._stubs = [stubs.TodoServiceStub(channel) for channel in self._channels]
        self._names = [f"user-{n}" for n in range(users)]
        self._weights = [1 / (n + 2) for n in range(users)]  # some have several callers at once
        self._pause = pause
        self._lock = threading.Lock()
        self._tasks: dict[str, dict[int, Any]] = {name: {} for name in self._names}  # as last seen
        self._stopping = threading.Event()
        self.mutations: list[Mutation] = []
        self.trouble: list[str] = []
        self._threads = [threading.Thread(target=self._work, args=(random.Random(f"{seed}-user-{n}"),), daemon=True)
                         for n in range(threads)]

    @property
    def names(self) -> list[str]:
        return self._names

    @property
    def accepted(self) -> int:
        return sum(mutation.answer is not None for mutation in self.mutations)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, within: float) -> None:
        """Lets everybody get the answer they wait for."""
        self._stopping.set()
        deadline = time.monotonic() + within
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        waiting = sum(thread.is_alive() for thread in self._threads)
        if waiting:
            self.trouble.append(f"{waiting} users still have no answer {within:g} s after everything runs again")
        for channel in self._channels:
            channel.close()

    def _work(self, rng: random.Random) -> None:
        while not self._stopping.is_set():
            try:
                self._change_something(rng)
            except Exception as error:  # noqa: BLE001  a thread that ends silently would test less than we think
                with self._lock:
                    self.trouble.append(f"a user gave up: {error!r}")
                return
            self._stopping.wait(rng.uniform(0, 2 * self._pause))

    def _change_something(self, rng: random.Random) -> None:
        user = rng.choices(self._names, self._weights)[0]
        operation = rng.choices(list(OPERATIONS), list(OPERATIONS.values()))[0]
        with self._lock:
            known = list(self._tasks[user].values())
        if operation == "look":
            return self._look(user, rng)
        wanted = {"complete": False, "uncomplete": True}.get(operation)
        known = [task for task in known if wanted is None or task.completed == wanted]
        if operation != "create" and not known:
            operation = "create"
        m = self._messages
        if operation == "create":
            mutation = Mutation(user, "created")
            task = m.Task(title=f"task {rng.randrange(10**6)}", tags=rng.sample(["a", "b", "ü", "\"q\""], 2))
            if rng.random() < 0.7:
                # Far ahead: the next occurrence then depends on nothing but the rule.
                task.due_local = f"20{rng.randrange(30, 60)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}T09:00:00"
                task.time_zone = "Europe/Berlin"
                task.recurrence_rule = rng.choice(RULES)
            request = m.CreateTaskRequest(task=task, request_id=mutation.request_id)
            return self._insist(mutation, "CreateTask", request, rng)
        target = rng.choice(known)
        etag = target.etag if rng.random() < 0.3 else ""
        if operation == "update":
            mutation = Mutation(user, "updated")
            request = m.UpdateTaskRequest(
                task=m.Task(id=target.id, title=f"changed {rng.randrange(10**6)}", etag=etag, priority=rng.randrange(1, 4)),
                request_id=mutation.request_id)
            request.update_mask.paths[:] = ["title", "priority"]
            return self._insist(mutation, "UpdateTask", request, rng)
        kind, method, message = {
            "complete": ("completed", "CompleteTask", m.CompleteTaskRequest),
            "uncomplete": ("uncompleted", "UncompleteTask", m.UncompleteTaskRequest),
            "delete": ("deleted", "DeleteTask", m.DeleteTaskRequest),
        }[operation]
        mutation = Mutation(user, kind)
        self._insist(mutation, method, message(id=target.id, etag=etag, request_id=mutation.request_id), rng)

    def _insist(self, mutation: Mutation, method: str, request: Any, rng: random.Random) -> None:
        with self._lock:
            self.mutations.append(mutation)
        task_id = getattr(request, "id", 0) or request.task.id
        while True:
            mutation.attempts += 1
            try:
                mutation.answer = self._call(mutation.user, method, request, rng)
            except grpc.RpcError as error:
                reason = reason_of(error)
                if reason in REFUSED:
                    mutation.refusal = reason
                    if reason == "TASK_NOT_FOUND":
                        self._forget(mutation.user, task_id)
                    return
                if error.code() not in REPEAT and reason != "CONTENTION":
                    with self._lock:
                        self.trouble.append(f"{method}: {error.code().name} {reason}: {error.details()}")
                time.sleep(rng.uniform(0.02, 0.2))
                continue
            finally:
                mutation.waited = time.monotonic() - mutation.began
            if mutation.kind == "deleted":
                self._forget(mutation.user, task_id)
            else:
                self._see(mutation.user, [mutation.answer])
            return

    def _call(self, user: str, method: str, request: Any, rng: random.Random) -> Any:
        call: Callable[..., Any] = getattr(rng.choice(self._stubs), method)
        return call(request, timeout=ATTEMPT_SECONDS, metadata=[("x-user-id", user)])

    def _look(self, user: str, rng: random.Random) -> None:
        """Finds the occurrences that the service has made."""
        filter = self._messages.ListTasksRequest.Filter(completed=False)
        try:
            answer = self._call(user, "ListTasks", self._messages.ListTasksRequest(page_size=100, filter=filter), rng)
        except grpc.RpcError:
            return
        self._see(user, answer.tasks)

    def _see(self, user: str, tasks: Any) -> None:
        with self._lock:
            for task in tasks:
                before = self._tasks[user].get(task.id)
                if before is None or before.version < task.version:
                    self._tasks[user][task.id] = task

    def _forget(self, user: str, task_id: int) -> None:
        with self._lock:
            self._tasks[user].pop(task_id, None)

"""One user asks for as much as the service gives: all others are served as before."""

from __future__ import annotations

import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "support")]

from service_binary import binary  # noqa: E402
from todo_client import Client, eventually, protos, reason_of, retry_seconds, rows  # noqa: E402

from tools.stack import Stack  # noqa: E402
from tools.stack.dapr import http_get  # noqa: E402

LONGEST_WAIT = 5.0  # of an honest call
HONEST_ROUNDS = 20
SEARCHES = 250
TASKS = 60_000
OPEN_LIMIT = 3

# A text of 1,200 characters each, in which no search finds anything.
MANY_TASKS = f"""
insert into users (user_id, shard, open_tasks) values ('greedy', shard_of('greedy'), {TASKS});
insert into tasks (user_id, id, version, seq, title, completed, priority, tags, time_zone, recurrence_basis, missed,
                   created_at, updated_at)
select 'greedy', nextval('task_ids'), 1, 1, md5(i::text), false, 1, '{{}}', 'UTC', 'schedule', 0, now(), now()
from generate_series(1, {TASKS}) i;
insert into task_texts
select user_id, id, repeat(md5(id::text) || ' ', 36)
from tasks where user_id = 'greedy';
analyze tasks, task_texts;"""


@contextmanager
def running(folder: Path, *flags: str) -> Iterator[Stack]:
    """One replica with the limits that it has by default, but for `flags`."""
    with Stack(folder / "run", broker="memory", service_binary=binary(), service_flags=flags, raise_limits=False,
               keep_data=False) as stack:
        yield stack


class Flood:
    """Calls of one user until the end of the block, up to `at_once` of them at a time."""

    def __init__(self, stack: Stack, at_once: int) -> None:
        messages, stubs = protos()
        self._messages: Any = messages
        # Several connections: HTTP/2 allows each only so many calls at a time.
        self._stubs = [stubs.TodoServiceStub(grpc.insecure_channel(
            stack.api_target(), [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]))
            for _ in range(4)]
        self._places = threading.Semaphore(at_once)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.outcomes: Counter[str] = Counter()
        self.retry_after: set[float] = set()
        self.seconds = 0.0

    def send(self, stub: Any) -> grpc.Future:
        raise NotImplementedError

    def _run(self) -> None:
        number = 0
        while not self._stopping.is_set():
            self._places.acquire()
            number += 1
            self.send(self._stubs[number % len(self._stubs)]).add_done_callback(self._ended)

    def _ended(self, call: Any) -> None:
        error = call.exception()
        with self._lock:
            self.outcomes["OK" if error is None else f"{error.code().name} {reason_of(error)}"] += 1
            if error is not None and error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
                self.retry_after.add(retry_seconds(error))
        self._places.release()

    def __enter__(self) -> Flood:
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self.seconds = time.monotonic() - self._began


class Searches(Flood):
    def send(self, stub: Any) -> grpc.Future:
        # Two characters: the index of texts is of no use.
        request = self._messages.ListTasksRequest(filter=self._messages.ListTasksRequest.Filter(text="zz"))
        return stub.ListTasks.future(request, metadata=[("x-user-id", "greedy")], timeout=60)


class Gets(Flood):
    def send(self, stub: Any) -> grpc.Future:
        return stub.GetTask.future(self._messages.GetTaskRequest(id=1), metadata=[("x-user-id", "greedy")], timeout=60)


def longest_honest_wait(stack: Stack, flood: Flood, floods: int) -> float:
    """Works as another user, and looks at the probe, until the flood has had so many answers too."""
    ada = Client(stack.api_target(), "ada")
    longest = 0.0

    def timed(work: Any) -> Any:
        nonlocal longest
        began = time.monotonic()
        answer = work()
        longest = max(longest, time.monotonic() - began)
        return answer

    rounds = 0
    while rounds < HONEST_ROUNDS or flood.outcomes.total() < floods:
        task = timed(lambda: ada.create("water the plants"))
        timed(lambda: ada.get(task.id))
        assert task.id in [found.id for found in timed(lambda: ada.tasks(text="plants"))]
        timed(lambda: ada.delete(task.id))
        assert timed(lambda: http_get(stack.ports["ops-0"], "/readyz"))[0] == 200
        rounds += 1
        assert longest < LONGEST_WAIT, f"{longest:.1f} s; {flood.outcomes}"
        time.sleep(0.1)  # a person does not call as fast as a program can
    return longest


# With its default the limit of calls at a time refuses most of them; without it they all wait for workers.
@pytest.mark.parametrize("flags", [(), ("--user-calls-at-a-time=100000", "--user-calls-per-second=100000",
                                        "--user-call-burst=100000")], ids=["default", "unlimited"])
def test_searches_of_one_user_do_not_hold_up_others(tmp_path: Path, flags: tuple[str, ...]) -> None:
    with running(tmp_path, *flags) as stack:
        rows(stack, MANY_TASKS)
        with Searches(stack, SEARCHES) as flood:
            longest = longest_honest_wait(stack, flood, SEARCHES)
        print(f"longest honest wait {longest:.2f} s; {flood.outcomes}")
        assert {outcome.split()[0] for outcome in flood.outcomes} <= {"OK", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"}
        log = stack.services[0].output()
        assert "database_lost" not in log and "unhealthy" not in log and "search_without_index" not in log
        # What nobody waits for any more ends soon, and the user is served again.
        eventually(lambda: rows(stack, "select count(*) from pg_stat_activity where state = 'active' and query like "
                                       "'%task_texts%' and pid <> pg_backend_pid()") == [["0"]], "no search goes on")
        eventually(lambda: _ok(lambda: Client(stack.api_target(), "greedy").create("one more")), "served again")


def _ok(call: Any) -> bool:
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, error
        return False
    return True


def test_a_user_far_above_the_rate_is_refused_and_others_are_not(tmp_path: Path) -> None:
    rate, burst = 5, 20
    with running(tmp_path, f"--user-calls-per-second={rate}", f"--user-call-burst={burst}") as stack:
        # The honest user has the same limits: a hundredth of what the other one tries.
        client = Client(stack.api_target(), "ada")
        task = client.create("water the plants")
        with Gets(stack, 20) as flood:
            for _ in range(HONEST_ROUNDS):
                began = time.monotonic()
                assert client.get(task.id).title == "water the plants"
                assert http_get(stack.ports["ops-0"], "/readyz")[0] == 200
                assert time.monotonic() - began < LONGEST_WAIT
                time.sleep(0.25)
        print(f"{flood.outcomes} in {flood.seconds:.1f} s")
        allowed = flood.outcomes["NOT_FOUND TASK_NOT_FOUND"]
        assert burst <= allowed <= burst + rate * flood.seconds + 1
        assert flood.outcomes["RESOURCE_EXHAUSTED USER_RATE_LIMITED"] > 0
        assert set(flood.outcomes) == {"NOT_FOUND TASK_NOT_FOUND", "RESOURCE_EXHAUSTED USER_RATE_LIMITED"}
        assert flood.retry_after == {1.0}


def test_a_user_has_no_more_open_tasks_than_the_limit(tmp_path: Path) -> None:
    with running(tmp_path, f"--user-open-tasks={OPEN_LIMIT}") as stack:
        client = Client(stack.api_target(), "ada")
        series = client.create("water the plants", due_local="2026-10-24T09:00:00", time_zone="Europe/Berlin",
                               recurrence_rule="FREQ=DAILY")
        plain = [client.create(f"task {n}") for n in range(OPEN_LIMIT - 1)]
        request_id = str(uuid.uuid4())
        with pytest.raises(grpc.RpcError) as refused:
            client.create("one more", request_id)
        assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert reason_of(refused.value) == "TOO_MANY_OPEN_TASKS"
        assert retry_seconds(refused.value) == 0, "waiting does not help"
        client.complete(series.id)
        client.successor_of(series)  # it takes the place that has just become free
        with pytest.raises(grpc.RpcError):
            client.create("one more", request_id)
        assert len(client.tasks(completed=False)) == OPEN_LIMIT
        client.complete(plain[0].id)  # nothing follows it
        assert client.create("one more", request_id).title == "one more"

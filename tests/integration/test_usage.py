"""Usage on the real stack: every event is counted once, whatever fails on its way; the numbers of a rebuild."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from checks import check, usage_is_what_the_log_says
from evidence import collect, with_rebuilt_usage
from todo_client import Client, Operator, eventually, foreign_event, kcat, produce, published, rows
from usage import Analytics

from tools.stack import Stack


def counted(stack: Stack, client: Client) -> Any:
    """The user's usage, once it has all changes of the user."""
    analytics = Analytics(stack.api_target(), client.user)
    head = client.changes()[-1].seq
    return eventually(lambda: (usage := analytics.get()).as_of_seq >= head and usage, f"seq {head} is counted")


def all_is_counted(stack: Stack) -> None:
    published(stack)
    eventually(lambda: rows(stack, """select count(*) from users u left join usage_users x using (user_id)
                                      where u.seq > 0 and not coalesce(x.counted @> int8range(1, u.seq + 1), false)""")
               == [["0"]], "every change is counted")


def now_in_rfc3339(ago: timedelta = timedelta()) -> str:
    return (datetime.now(UTC) - ago).isoformat().replace("+00:00", "Z")


def test_what_a_user_does_is_counted(stack: Stack) -> None:
    client = Client(stack.api_target(), "usage-ada")
    first = client.create("Buy milk", tags=["shop"], priority="PRIORITY_HIGH")
    client.create("Call Bo", tags=["phone", "shop"])
    client.create("Pay the rent", due_local="2020-01-01")
    client.complete(first.id)
    usage = counted(stack, client)
    counts = usage.totals.counts
    assert (counts.created, counts.completed, usage.open, usage.overdue) == (3, 1, 2, 1)
    assert usage.totals.completion_rate == pytest.approx(1 / 3)
    assert usage.totals.completion_times.count == 1
    assert len(usage.points) == 30 and usage.points[-1].counts.created == 3 and usage.points[-1].unfinished
    assert (usage.streak_days, usage.longest_streak_days, usage.time_zone) == (1, 1, "UTC")
    by_tag = Analytics(stack.api_target(), "usage-ada").get(breakdown="USAGE_BREAKDOWN_TAG")
    assert [(part.key, part.counts.created, part.counts.completed) for part in by_tag.parts] == [
        ("shop", 2, 1), ("phone", 1, 0)]


def test_the_json_door_has_it_too(stack: Stack) -> None:
    def get(user: str, **fields: object) -> tuple[int, dict[str, Any]]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{stack.ports['web-0']}/todo.v1.AnalyticsService/GetUsage", json.dumps(fields).encode(),
            {"content-type": "application/json", "x-user-id": user})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    client = Client(stack.api_target(), "usage-json")
    client.create("Buy milk")
    counted(stack, client)
    status, usage = get("usage-json", bucket="USAGE_BUCKET_WEEK", timeZone="Pacific/Chatham", compare=True)
    assert status == 200
    assert usage["totals"]["counts"]["created"] == "1" and usage["previous"]["completionRate"] == -1
    assert get("usage-json", userId="usage-ada")[0] == 403
    assert get("usage-json", userId="*")[0] == 403
    status, refused = get("usage-json", timeZone="Mars/Olympus")
    assert status == 400 and "time_zone" in json.dumps(refused)


def test_a_user_sees_no_other_but_an_operator_does(stack: Stack) -> None:
    client = Client(stack.api_target(), "usage-seen")
    client.create("mine")
    counted(stack, client)
    with pytest.raises(grpc.RpcError) as refused:
        Analytics(stack.api_target(), "usage-other").get(user_id="usage-seen")
    assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED
    operator = Analytics(stack.api_target(), "root", role="operator")
    assert operator.get(user_id="usage-seen").totals.counts.created == 1
    everybody = operator.get(user_id="*")
    assert everybody.totals.counts.created >= 1
    assert everybody.active_users.day >= 1 and everybody.active_users.month >= everybody.active_users.day


def test_tasks_of_other_programs_count_for_their_owner(stack: Stack) -> None:
    user, recent, old = "usage-foreign", timedelta(hours=1), timedelta(days=40)

    def event(task_id: int, ago: timedelta, kind: str = "completed") -> bytes:
        made = foreign_event(user, task_id, timestamp=now_in_rfc3339(ago), event_type=kind)
        made["data"]["task_data"].update(created_at=now_in_rfc3339(ago + timedelta(minutes=10)), recurrence_rule=None)
        return json.dumps(made).encode()

    ours = Client(stack.api_target(), user).create("ours")
    once = event(8_100_000, recent)
    kcat(stack, "task-events", user, once, once, event(8_100_001, recent, "created"), event(8_100_002, old),
         event(ours.id, recent))
    analytics = Analytics(stack.api_target(), user)
    usage = eventually(lambda: (usage := analytics.get()).uncounted_events == 1 and usage.as_of_seq == 1 and usage,
                       "the events are counted")
    counts = usage.totals.counts
    assert (counts.created, counts.completed) == (2, 1), "an event about our task is no change of it"
    assert usage.totals.completion_times.p50 == pytest.approx(600, abs=1)


def refuse_to_count(stack: Stack) -> None:
    stack.postgres.query("""
        create function refuse_usage() returns trigger language plpgsql as $$ begin raise exception 'the cause'; end $$;
        create trigger refuse_usage before insert on usage_counts for each row execute function refuse_usage();""")


def test_dead_letters_count_when_they_are_replayed(own_stack: Stack) -> None:
    refuse_to_count(own_stack)
    client = Client(own_stack.api_target(), "usage-dead")
    task = client.create("Buy milk", due_local="2026-10-24", recurrence_rule="daily")
    client.complete(task.id)
    client.successor_of(task)
    letters = "select count(*) from dead_letters where consumer = 'usage' and state = 'open'"
    eventually(lambda: rows(own_stack, letters) == [["3"]], "three dead letters", within=120)
    analytics = Analytics(own_stack.api_target(), "usage-dead")
    usage = analytics.get()
    assert usage.totals.counts.created == 0
    assert usage.as_of_seq == 3, "there is nothing to wait for"
    own_stack.postgres.query("drop trigger refuse_usage on usage_counts")
    assert Operator(own_stack.api_target()).replay(filter=True) == 3
    all_is_counted(own_stack)
    usage = analytics.get()
    assert (usage.totals.counts.created, usage.totals.counts.completed, usage.as_of_seq) == (2, 1, 3)
    assert not check(collect_usage(own_stack), rules=[usage_is_what_the_log_says])


def collect_usage(stack: Stack) -> Any:
    all_is_counted(stack)
    return collect(stack, [], order_kept=False)


def test_a_rebuild_has_the_same_numbers_on_a_day_when_clocks_change(own_stack: Stack) -> None:
    for user in range(4):
        client = Client(own_stack.api_target(), f"usage-{user}")
        for number in range(6):
            series = {"due_local": "2036-10-24", "recurrence_rule": "daily"} if number % 2 else {}
            task = client.create(f"task {number}", tags=[f"tag {number % 2}"], priority=1 + number % 3, **series)
            client.complete(task.id)
            if number == 3:
                client.uncomplete(task.id)
                client.delete(task.id)
    evidence = collect_usage(own_stack)
    assert not check(evidence, rules=[usage_is_what_the_log_says])
    rebuilt = with_rebuilt_usage(own_stack, evidence)
    assert not check(rebuilt, rules=[usage_is_what_the_log_says])
    rebuild = Operator(own_stack.api_target()).status().usage_rebuild
    assert rebuild.counted_changes == len(evidence.changes)
    assert rebuild.added_events == 0
    assert rebuild.finished_at.ToNanoseconds() > rebuild.started_at.ToNanoseconds()


def write_history(stack: Stack, users: int, changes: int) -> None:
    """Changes that nobody was told of, as from the time before usage was counted."""
    rows(stack, f"insert into users (user_id, shard) select 'past-' || u, shard_of('past-' || u) from generate_series(1, {users}) u")
    rows(stack, f"""
        insert into changes (user_id, seq, shard, event_id, kind, task_id, version, task_json, at, traceparent)
        select 'past-' || u, s, shard_of('past-' || u), gen_random_uuid(),
               case s % 2 when 1 then 'created' else 'completed' end, 1000000 + (s - 1) / 2, 2 - s % 2,
               json_build_object('id', 1000000 + (s - 1) / 2, 'user_id', 'past-' || u, 'priority', 'low',
                                 'tags', json_build_array('t' || s % 3), 'created_at', rfc3339(now() - interval '90 days'))::text,
               now() - interval '60 days' + s * interval '1 minute', ''
        from generate_series(1, {users}) u, generate_series(1, {changes}) s""")
    rows(stack, f"update users set seq = {changes} where user_id like 'past-%'")
    # They are published already, and nobody takes them from the bus any more.
    rows(stack, "update relay_shards r set position = (select max(id) from changes)")


def test_a_rebuild_goes_on_after_a_crash_and_adds_what_was_never_counted(own_stack: Stack) -> None:
    own_stack.stop_one("service-0")
    write_history(own_stack, users=20, changes=5_000)
    own_stack.start_one("service-0")
    operator = Operator(own_stack.api_target())
    operator.rebuild_analytics()
    eventually(lambda: operator.status().usage_rebuild.counted_changes > 0, "it has begun")
    own_stack.kill("service-0")
    assert rows(own_stack, "select next_totals is not null from usage_state") == [["t"]], "it was killed in the middle"
    own_stack.start_one("service-0")
    operator = Operator(own_stack.api_target())
    client = Client(own_stack.api_target(), "usage-meanwhile")
    client.create("meanwhile")
    eventually(lambda: not operator.status().usage_rebuild.running, "it is done", within=180)
    rebuild = operator.status().usage_rebuild
    assert 100_000 <= rebuild.counted_changes <= 100_001
    assert 100_000 <= rebuild.added_events <= 100_001
    counted(own_stack, client)
    analytics = Analytics(own_stack.api_target(), "root", role="operator")
    year: dict[str, Any] = {"bucket": "USAGE_BUCKET_MONTH"}
    start = analytics.messages.GetUsageRequest().start
    start.FromDatetime(datetime.now(UTC) - timedelta(days=365))
    counts = analytics.get(user_id="*", start=start, **year).totals.counts
    assert (counts.created, counts.completed) == (50_001, 50_000)
    assert analytics.get(user_id="past-7", start=start, **year).as_of_seq == 5_000
    eventually(lambda: rows(own_stack, "select count(*) from usage_garbage") == [["0"]], "the old numbers are gone")


def test_redelivered_and_shuffled_events_count_once(own_stack: Stack) -> None:
    user = "usage-shuffled"
    records: list[bytes] = []
    for number in range(200):
        event = foreign_event(user, 8_200_000 + number, timestamp=now_in_rfc3339(timedelta(minutes=number)))
        event["data"]["task_data"].update(recurrence_rule=None)
        records.append(json.dumps(event).encode())
    copies: Sequence[bytes] = [*records, *reversed(records), *records[50:150]]
    produce(own_stack, "task-events", [(f"{user}-{n % 3}".encode(), record) for n, record in enumerate(copies)])
    analytics = Analytics(own_stack.api_target(), user)
    eventually(lambda: rows(own_stack, "select count(*) from inbox where consumer = 'usage'") == [["200"]], "all are taken")
    assert analytics.get().totals.counts.completed == 200

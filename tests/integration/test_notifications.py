"""Reminders on their ways out: the list, webhooks, e-mail and Web Push, each once, on the real stack."""

from __future__ import annotations

import email
import json
import re
import socket
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import policy
from pathlib import Path
from typing import Any

import grpc
import pytest
from aiosmtpd.controller import Controller
from conftest import binary
from py_vapid import Vapid02
from receivers import MASTER_KEY, Browser, Receiver, channel_secrets
from schemas import validator
from standardwebhooks import Webhook
from todo_client import Client, Notified, Operator, Reminders, eventually, kcat, protos, read_topic, rows

from tools.stack import Stack


class Mailbox:
    def __init__(self) -> None:
        self.mails: list[tuple[list[str], bytes]] = []

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
        self.mails.append((envelope.rcpt_tos, envelope.content))
        return "250 taken"

    def to(self, address: str) -> list[email.message.EmailMessage]:
        return [email.message_from_bytes(content, policy=policy.default)
                for recipients, content in self.mails if recipients == [address]]


@dataclass
class Outside:
    """A stack and everything that it can send to."""

    stack: Stack
    receiver: Receiver
    mailbox: Mailbox

    def user(self, name: str) -> Notified:
        return Notified(self.stack.api_target(), name)

    def wants_all(self, user: Notified, name: str) -> tuple[Any, Browser]:
        """The webhook endpoint and the browser that the user has from now on, beside a mail address, all of this name."""
        channels = user.call("SetEmailAddress", email_address=f"{name}@example.org")
        assert channels.webhook_available and channels.email_available and channels.push_public_key
        browser = Browser(f"{self.receiver.url}/push-{name}")
        user.call("AddPushSubscription", subscription=user.messages.PushSubscription(
            endpoint=browser.endpoint, p256dh=browser.p256dh, auth=browser.auth))
        return user.webhook(f"{self.receiver.url}/{name}"), browser

    def remind(self, user: str, *titles: str, minutes_ago: float = 0, copies: int = 1) -> str:
        """Publishes ReminderEvents as a foreign producer would, in the contract's example form."""
        at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        events = []
        for title in titles or ("Buy groceries",):
            data = {"task_id": 1, "title": title, "due_date": "2035-01-02T10:00:00Z",
                    "remind_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "user_id": user}
            validator("reminder-event.schema.json").validate(data)
            events.append({"specversion": "1.0", "id": str(uuid.uuid4()), "source": "elsewhere",
                           "type": "todo.reminder.due.v1", "datacontenttype": "application/json", "data": data})
        kcat(self.stack, "reminders", user, *(json.dumps(event).encode() for event in events * copies))
        return events[0]["id"]


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    receiver, mailbox = Receiver(), Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as probe:  # the controller cannot be given port 0
        port = probe.getsockname()[1]
    smtp = Controller(mailbox, hostname="127.0.0.1", port=port)
    smtp.start()
    flags = [f"--smtp-url=smtp+plain://127.0.0.1:{port}", "--mail-from=Todo <todo@todo.example>",
             "--webhook-allow-hosts=127.0.0.1"]
    secrets = channel_secrets()
    try:
        with Stack(tmp_path_factory.mktemp("stack") / "run", service_binary=binary(), service_flags=flags,
                   secrets=secrets, keep_data=False) as running:
            nobody = Notified(running.api_target(), "nobody")
            eventually(lambda: nobody.call("GetChannels").push_available, "the channels are known")
            yield Outside(running, receiver, mailbox)
    finally:
        smtp.stop()
        receiver.close()


def test_an_idle_replica_leaves_the_database_alone(outside: Outside) -> None:
    """At most five statements a second, and one that writes, with every way out switched on."""
    postgres, seconds = outside.stack.postgres, 20
    log = outside.stack.logs / "postgres.log"
    statement = re.compile(r"^\S+ \S+ \S+ \[\d+\] todo-service.* LOG:  (?:execute |statement: )(.{1,40})", re.MULTILINE)
    settings = {"log_statement": "'all'", "autovacuum": "off"}  # the latter writes, too
    for name, value in settings.items():
        postgres.query(f"alter system set {name} = {value}", superuser=True)
    postgres.query("select pg_reload_conf()", superuser=True)
    try:
        for _ in range(3):  # a replica that has just started is not idle yet
            begin, before = log.stat().st_size, newest_transaction(outside.stack)
            time.sleep(seconds)
            written = newest_transaction(outside.stack) - before
            with log.open("rb") as lines:
                lines.seek(begin)
                asked = Counter(statement.findall(lines.read().decode(errors="replace")))
            if asked.total() <= 5 * seconds and written <= seconds:
                break
    finally:
        for name in settings:
            postgres.query(f"alter system reset {name}", superuser=True)
        postgres.query("select pg_reload_conf()", superuser=True)
    assert asked["outbox_renew: "], "the log tells the statements"
    assert asked.total() <= 5 * seconds, asked.most_common()
    assert written <= seconds, asked.most_common()


def newest_transaction(stack: Stack) -> int:
    """Its number: only transactions that write have one."""
    return int(stack.postgres.query("select pg_snapshot_xmax(pg_current_snapshot())"))


def test_a_reminder_that_is_due_in_two_seconds_arrives_everywhere_once(outside: Outside) -> None:
    user, client = outside.user("notify-due"), Client(outside.stack.api_target(), "notify-due")
    endpoint, browser = outside.wants_all(user, "due")
    outside.stack.wait_jobs()
    reminders = Reminders(client)
    due = [time.time() + 2, time.time() + 4]
    tasks = [client.create(title) for title in ("Gieß die Blumen ✓", "and the other ones")]
    for task, at in zip(tasks, due, strict=True):
        reminders.create(task.id, at=at)
    everywhere = (lambda: outside.receiver.to("/due"), lambda: outside.receiver.to("/push-due"),
                  lambda: outside.mailbox.to("due@example.org"))
    eventually(lambda: rows(outside.stack, f"""select state, count(*) from deliveries where user_id = '{user.user}'
                                               group by state""") == [["delivered", "6"]], "nothing waits to be sent")
    calls, pushes, mails = (arrived() for arrived in everywhere)
    assert (len(calls), len(pushes), len(mails)) == (2, 2, 2)

    published = {r.event["data"]["task_id"]: r.event for r in read_topic(outside.stack, "reminders") if r.key == user.user}
    assert list(published) == [task.id for task in tasks]
    for call, push, mail, task, at in zip(calls, pushes, mails, tasks, due, strict=True):
        data = Webhook(endpoint.secret).verify(call.body, call.headers)["data"]
        assert (data["id"], data["task_id"], data["title"]) == (published[task.id]["id"], task.id, task.title)
        message = browser.read(push)
        assert (message["title"], message["task_id"]) == (task.title, task.id)
        assert Vapid02.verify(push.headers["authorization"])
        assert mail["subject"] == f"Reminder: {task.title}"
        assert min(call.at, push.at) - time.monotonic() + time.time() >= at, "never early"
    assert len({call.headers["webhook-id"] for call in calls}) == 2
    assert [n.title for n in user.notifications()] == [task.title for task in reversed(tasks)]


def test_copies_of_a_reminder_reach_every_channel_once(outside: Outside) -> None:
    user = outside.user("notify-all")
    endpoint, browser = outside.wants_all(user, "all")
    event_id = outside.remind(user.user, copies=3)

    [call] = eventually(lambda: outside.receiver.to("/all"), "the webhook call")
    Webhook(endpoint.secret).verify(call.body, call.headers)  # raises when it is not signed right
    body = json.loads(call.body)
    assert (body["type"], body["data"]["id"], body["data"]["task_id"]) == ("reminder.due", event_id, 1)
    [mail] = eventually(lambda: outside.mailbox.to("all@example.org"), "the mail")
    assert mail["subject"] == "Reminder: Buy groceries" and "todo@todo.example" in mail["from"]
    assert mail["list-unsubscribe"]
    assert {part.get_content_type() for part in mail.walk()} >= {"text/plain", "text/html"}
    [push] = eventually(lambda: outside.receiver.to("/push-all"), "the push message")
    assert browser.read(push)["title"] == "Buy groceries"

    [shown] = user.notifications()
    assert (shown.id, shown.title, shown.late) == (event_id, "Buy groceries", False)
    assert user.call("MarkNotificationsRead", ids=[shown.id]).marked_count == 1
    assert user.call("ListNotifications", unread_only=True).unread_count == 0
    updates = eventually(lambda: [r.event for r in read_topic(outside.stack, "task-updates") if r.key == user.user],
                         "the announcement")
    [update] = updates
    validator("cloud-event-produced.schema.json").validate(update)
    assert update["data"]["change"] == "notification" and "seq" not in update["data"]
    assert update["data"]["notification_id"] == event_id
    eventually(lambda: user.deliveries(endpoint)[0].state == user.messages.WEBHOOK_DELIVERY_STATE_DELIVERED, "the log")

    # Its copies were taken before the next reminder of the same user, which has come now.
    outside.remind(user.user, "second")
    eventually(lambda: len(outside.receiver.to("/all")) == 2, "the next call")
    eventually(lambda: len(outside.mailbox.to("all@example.org")) == 2, "the next mail")
    assert len(outside.receiver.to("/push-all")) <= 2
    assert rows(outside.stack, "select count(*) from deliveries where user_id = 'notify-all'") == [["6"]]


def test_somebody_elses_endpoint_is_not_there(outside: Outside) -> None:
    endpoint = outside.user("notify-owner").webhook(outside.receiver.url + "/owner")
    thief = outside.user("notify-thief")
    for method, fields in (("DeleteWebhookEndpoint", {"id": endpoint.id}), ("RotateWebhookSecret", {"id": endpoint.id}),
                           ("TestWebhookEndpoint", {"id": endpoint.id}),
                           ("ListWebhookDeliveries", {"endpoint_id": endpoint.id})):
        with pytest.raises(grpc.RpcError) as refused:
            thief.call(method, **fields)
        assert refused.value.code() == grpc.StatusCode.NOT_FOUND, method


def test_retry_after_is_honoured_and_the_id_stays(outside: Outside) -> None:
    user = outside.user("notify-retry")
    # The schedule alone would come again after 4 to 6 s.
    outside.receiver.answers["/retry"] = lambda n: (503, {"retry-after": "8"}) if n == 0 else (200, {})
    endpoint = user.webhook(outside.receiver.url + "/retry")
    outside.remind(user.user)
    first, second = eventually(lambda: (c := outside.receiver.to("/retry"))[1:] and c, "two attempts")
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert second.at - first.at >= 7.9
    Webhook(endpoint.secret).verify(second.body, second.headers)
    [delivery] = eventually(lambda: [d for d in user.deliveries(endpoint) if len(d.attempts) == 2], "both in the log")
    assert [a.outcome for a in delivery.attempts] == ["retry", "delivered"]
    assert delivery.attempts[0].status_code == 503

    again = user.call("RedeliverWebhook", id=delivery.id)
    assert again.id == delivery.id
    eventually(lambda: len(outside.receiver.to("/retry")) == 3, "the redelivery")
    assert outside.receiver.to("/retry")[2].headers["webhook-id"] == delivery.id


def test_gone_disables_the_endpoint_and_removes_the_subscription(outside: Outside) -> None:
    user = outside.user("notify-gone")
    outside.receiver.answers["/gone"] = outside.receiver.answers["/push-gone"] = lambda _: (410, {})
    endpoint = user.webhook(outside.receiver.url + "/gone")
    browser = Browser(outside.receiver.url + "/push-gone")
    user.call("AddPushSubscription", subscription=user.messages.PushSubscription(
        endpoint=browser.endpoint, p256dh=browser.p256dh, auth=browser.auth))
    outside.remind(user.user)
    eventually(lambda: not user.call("ListWebhookEndpoints").endpoints[0].enabled, "it is disabled")
    eventually(lambda: not user.call("ListPushSubscriptions").subscriptions, "it is removed")
    assert user.call("ListWebhookEndpoints").endpoints[0].disabled_reason
    outside.receiver.answers["/gone"] = lambda _: (200, {})
    user.call("UpdateWebhookEndpoint", endpoint=user.messages.WebhookEndpoint(id=endpoint.id, enabled=True),
              update_mask={"paths": ["enabled"]})
    outside.remind(user.user, "again")
    eventually(lambda: len(outside.receiver.to("/gone")) == 2, "it is called again")


def test_private_targets_are_not_called(outside: Outside) -> None:
    user = outside.user("notify-ssrf")
    with pytest.raises(grpc.RpcError) as refused:
        user.webhook("http://169.254.169.254/latest/meta-data")
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    # What the URL did not tell when it was given is found out when it is called.
    endpoint = user.webhook(outside.receiver.url + "/ssrf")
    rows(outside.stack, f"""update webhook_endpoints set url = 'http://169.254.169.254/latest/meta-data'
                            where user_id = '{user.user}' returning 1""")
    outcome = user.call("TestWebhookEndpoint", id=endpoint.id)
    assert not outcome.delivered and outcome.status_code == 0
    outside.remind(user.user)
    eventually(lambda: not user.call("ListWebhookEndpoints").endpoints[0].enabled, "it is disabled")


def test_a_rotated_secret_signs_beside_the_old_one(outside: Outside) -> None:
    user = outside.user("notify-rotate")
    endpoint = user.webhook(outside.receiver.url + "/rotate")
    request = str(uuid.uuid4())
    rotated = user.call("RotateWebhookSecret", id=endpoint.id, request_id=request)
    assert rotated.secret != endpoint.secret
    assert user.call("RotateWebhookSecret", id=endpoint.id, request_id=request).secret == rotated.secret
    assert not user.call("ListWebhookEndpoints").endpoints[0].secret
    assert user.call("TestWebhookEndpoint", id=endpoint.id).delivered
    [call] = outside.receiver.to("/rotate")
    for secret in (endpoint.secret, rotated.secret):
        assert Webhook(secret).verify(call.body, call.headers)["type"] == "webhook.test"


def test_late_reminders_come_together_and_are_marked(outside: Outside) -> None:
    user = outside.user("notify-late")
    user.call("SetEmailAddress", email_address="late@example.org")
    user.webhook(outside.receiver.url + "/late")
    outside.remind(user.user, *(f"missed {n}" for n in range(4)), minutes_ago=60)
    [mail] = eventually(lambda: outside.mailbox.to("late@example.org"), "the mail")
    text = mail.get_body(("plain",)).get_content()
    assert all(f"missed {n}" in text for n in range(4)) and "late" in text
    assert mail["subject"] == "4 reminders"
    eventually(lambda: len(outside.receiver.to("/late")) == 4, "a call each")
    assert all(json.loads(call.body)["data"]["late"] for call in outside.receiver.to("/late"))
    assert [n.late for n in user.notifications()] == [True] * 4


def code_of(user: Notified, etag: str) -> grpc.StatusCode:
    try:
        user.call("UpdatePreferences", preferences=user.messages.NotificationPreferences(etag=etag))
    except grpc.RpcError as refused:
        return refused.code()
    return grpc.StatusCode.OK


def test_preferences_are_kept_with_an_etag_and_obeyed(outside: Outside) -> None:
    user = outside.user("notify-prefs||odd")
    first = user.call("GetPreferences")
    assert first.in_app and first.email and first.push and first.webhook
    new = user.messages.NotificationPreferences(in_app=True, webhook=True, email=False, push=True,
                                                time_zone="Europe/Berlin", etag=first.etag)
    stored = user.call("UpdatePreferences", preferences=new)
    assert not stored.email and stored.etag != first.etag
    # Of several first writers at the same time one wins.
    racing = [outside.user(f"notify-race-{n % 2}") for n in range(8)]
    with ThreadPoolExecutor(len(racing)) as pool:
        codes = [f.result() for f in [pool.submit(code_of, one, first.etag) for one in racing]]
    assert sorted(codes, key=str) == [grpc.StatusCode.ABORTED] * 6 + [grpc.StatusCode.OK] * 2
    with pytest.raises(grpc.RpcError) as stale:
        user.call("UpdatePreferences", preferences=new)
    assert stale.value.code() == grpc.StatusCode.ABORTED
    with pytest.raises(grpc.RpcError) as wrong:
        user.call("UpdatePreferences", preferences=user.messages.NotificationPreferences(
            time_zone="Nowhere/City", quiet_hours=user.messages.QuietHours(start="25:00", end="07:00")))
    assert wrong.value.code() == grpc.StatusCode.INVALID_ARGUMENT

    user.call("SetEmailAddress", email_address="prefs@example.org")
    user.webhook(outside.receiver.url + "/prefs")
    outside.remind(user.user)
    eventually(lambda: outside.receiver.to("/prefs"), "the webhook")
    assert rows(outside.stack, f"select channel from deliveries where user_id = '{user.user}'") == [["webhook"]]

    # Quiet now: push and mail wait, the webhook and the list do not.
    now = datetime.now(UTC)
    quiet = user.messages.QuietHours(start=(now - timedelta(hours=2)).strftime("%H:%M"),
                                     end=(now + timedelta(hours=2)).strftime("%H:%M"), time_zone="UTC")
    user.call("UpdatePreferences", preferences=user.messages.NotificationPreferences(
        in_app=True, webhook=True, email=True, push=True, quiet_hours=quiet))
    outside.remind(user.user, "in the night")
    eventually(lambda: len(outside.receiver.to("/prefs")) == 2, "the webhook")
    [[waits]] = rows(outside.stack, f"""select due_at > now() + interval '1 hour' and state = 'pending' and grouped
                                        from deliveries where user_id = '{user.user}' and channel = 'email'""")
    assert waits == "t"


def test_task_events_go_to_endpoints_that_want_them(outside: Outside) -> None:
    name = "notify-tasks"
    user, client = outside.user(name), Client(outside.stack.api_target(), name)
    endpoint = user.webhook(outside.receiver.url + "/tasks", reminders=False, task_events=True)
    task = client.create("after")
    client.complete(task.id)
    eventually(lambda: len(outside.receiver.to("/tasks")) == 2, "two calls")
    bodies = sorted((Webhook(endpoint.secret).verify(c.body, c.headers) for c in outside.receiver.to("/tasks")),
                    key=lambda body: body["data"]["task_data"]["seq"])
    assert [body["type"] for body in bodies] == ["task.created", "task.completed"]
    for body in bodies:
        validator("task-event.schema.json").validate(body["data"])
    # Whoever has no such endpoint costs no row.
    Client(outside.stack.api_target(), "notify-nobody").create("quiet")
    assert rows(outside.stack, "select count(*) from inbox where consumer = 'webhooks'") == [["2"]]


def test_unreadable_reminders_are_dead_letters_of_their_topic(outside: Outside) -> None:
    kcat(outside.stack, "reminders", "notify-poison", b'{"specversion":"1.0","id":"x","data":{"task_id":1}}')
    ops = Operator(outside.stack.api_target())
    [letter] = eventually(lambda: ops.list(topic="reminders"), "the dead letter")
    assert letter.consumer == "notifications" and "user_id" in letter.reason
    eventually(lambda: read_topic(outside.stack, "reminders-dlq"), "its record")


def test_a_task_without_a_zone_is_in_that_of_the_preferences_also_while_the_sidecar_hangs(outside: Outside) -> None:
    user = outside.user("zone-berlin")
    ada, bob = (Client(outside.stack.api_target(), name) for name in (user.user, "zone-nobody"))
    early = ada.create("undated")
    preferences = user.messages.NotificationPreferences(in_app=True, time_zone="Europe/Berlin")
    user.call("UpdatePreferences", preferences=preferences)

    def zone_and_due(task: Any) -> tuple[str, str]:
        return task.time_zone, task.due_date.ToJsonString()

    task = ada.create("call mum", due_local="2031-07-01T09:00:00")
    assert zone_and_due(ada.get(task.id)) == ("Europe/Berlin", "2031-07-01T07:00:00Z")
    assert zone_and_due(bob.create("call mum", due_local="2031-07-01T09:00:00")) == ("UTC", "2031-07-01T09:00:00Z")
    preview = ada.call("PreviewRecurrence", ada.messages.PreviewRecurrenceRequest(count=1, task=ada.messages.Task(
        due_local="2031-10-25T09:00:00", recurrence_rule="daily")))
    assert preview.occurrences[0].due_date.ToJsonString() == "2031-10-26T08:00:00Z"
    outside.stack.freeze("daprd-0")
    try:
        assert zone_and_due(ada.create("a day", due_local="2031-07-02")) == ("Europe/Berlin", "2031-07-01T22:00:00Z")
        dated = ada.call("UpdateTask", ada.messages.UpdateTaskRequest(
            task=ada.messages.Task(id=early.id, due_local="2031-12-01T09:00"), update_mask={"paths": ["due_local"]}))
        assert zone_and_due(dated) == ("Europe/Berlin", "2031-12-01T08:00:00Z")
    finally:
        outside.stack.thaw("daprd-0")


def test_killed_after_sending_it_is_sent_again_under_the_same_id(tmp_path: Path) -> None:
    receiver = Receiver()
    try:
        with Stack(tmp_path / "run", service_binary=binary(), keep_data=False,
                   service_flags=["--webhook-allow-hosts=127.0.0.1"], secrets={"webhook-master-key": MASTER_KEY},
                   service_env={"TODO_FAULTS": "after-delivery=kill@1"}) as running:
            outside = Outside(running, receiver, Mailbox())
            user = outside.user("notify-killed")
            eventually(lambda: user.call("GetChannels").webhook_available, "the channels are known")
            assert not user.call("GetChannels").push_available
            endpoint = user.webhook(receiver.url + "/killed")
            outside.remind(user.user)
            service = running.services[0]
            eventually(lambda: service.died, "the service has killed itself")
            service.env = {}
            running.kill("service-0")
            # The lease of the dead would last 90 s.
            running.postgres.query("update delivery_lanes set lease_until = '-infinity'")
            running.start_one("service-0")
            first, second = eventually(lambda: (c := receiver.to("/killed"))[1:] and c, "two calls")
            assert first.headers["webhook-id"] == second.headers["webhook-id"]
            [delivery] = user.deliveries(endpoint)
            eventually(lambda: user.deliveries(endpoint)[0].state == user.messages.WEBHOOK_DELIVERY_STATE_DELIVERED,
                       "the log says so")
    finally:
        receiver.close()

"""What Dapr does that loses or stops events unless one knows it: each test fails when its guard is taken out.

The numbers are those by which the project knows the traps. Where the guard is in our own code the test is there too:

  01 UNIMPLEMENTED acknowledges            tests/unit/appcallback (Trap01)
  02 what a missing status means           tests/unit/appcallback (Trap02), and here
  03 Kafka's headers become call metadata  tests/unit/app (Trap03), and here
  04 settings that are ignored silently    here; tests/unit/appcallback (Trap04) for the subscription
  07 DROP                                  tests/unit/appcallback (Trap07)
  12 numbers beyond 2^53                   here
  15 what is not ASCII                     here; tests/unit/appcallback (Trap15) for the record's key
  19 what is not JSON                      here; tests/unit/appcallback (Trap04And19) for the subscription
  21 order of a user's events              tests/unit/relay, tests/unit/client (trap_21)
  25 calls of other apps on callbacks      test_roles.py; tests/unit/appcallback (Trap25)
  26 a delivery above the message limit    here; tests/unit/app for the limit and the alarm
   – a missing secret is told in words     here; tests/unit/client (OnlyWhoHasLooked) for what follows from it
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import REPOSITORY, binary
from todo_client import (
    Client, Operator, acknowledged, eventually, foreign_event, produce, published, read_topic, rows,
)

from tools.stack import Stack
from tools.stack.dapr import http_get

COMPONENTS = REPOSITORY / "deploy" / "components"


@pytest.fixture(scope="module", params=["bulk", "single"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Both ways of delivery: they are different code in Dapr, and in ours."""
    flag = f"--bulk-delivery={str(request.param == 'bulk').lower()}"
    with Stack(tmp_path_factory.mktemp("traps") / "run", service_binary=binary(), service_flags=[flag],
               keep_data=False) as running:
        yield running


def record_of(user: str, task_id: int) -> tuple[bytes, bytes]:
    """A foreign event that makes one successor."""
    return user.encode(), json.dumps(foreign_event(user, task_id)).encode()


def metrics(stack: Stack) -> str:
    status, body = http_get(stack.ports["ops-0"], "/metrics", {})
    assert status == 200
    return body.decode()


def took_effect(stack: Stack, user: str, count: int) -> None:
    client = Client(stack.api_target(), user)
    eventually(lambda: len(client.tasks()) == count, f"{count} successors of {user}")


def test_trap_02_what_is_done_is_acknowledged_and_does_not_come_again(stack: Stack) -> None:
    produce(stack, "task-events", [record_of("trap-02", 6_020_000 + n) for n in range(50)])
    took_effect(stack, "trap-02", 50)
    acknowledged(stack)


def test_trap_03_headers_of_any_size_get_through(stack: Stack) -> None:
    """12 KiB for each record: more than gRPC's default for the metadata of a whole call."""
    headers = [argument for n in range(12) for argument in ("-H", f"header-{n}={'x' * 1000}")]
    with tempfile.NamedTemporaryFile("wb") as file:
        file.write(b"".join(record_of("trap-03", 6_030_000 + n)[1] + b"\n" for n in range(100)))
        file.flush()
        subprocess.run(["kcat", "-P", "-b", f"127.0.0.1:{stack.ports['kafka']}", "-t", "task-events", "-k", "trap-03",
                        *headers, "-l", file.name], check=True, timeout=30)
    took_effect(stack, "trap-03", 100)
    acknowledged(stack)


def settings_of(component: Path) -> dict[str, str]:
    return dict(re.findall(r"- name: (\S+)[^\n]*\n\s+value: \"?([^\"\n]*)", component.read_text(encoding="utf-8")))


def test_trap_04_shipped_settings_are_those_that_count() -> None:
    everything = [*COMPONENTS.rglob("*.yaml"), COMPONENTS / "README.md"]
    assert len(everything) >= 6
    for file in everything:
        ignored = {"deadLetterTopic", "maxRetries"} & settings_of(file).keys()
        assert not ignored, f"{file}: Dapr ignores {ignored} there without a word"
        assert "kind: Resiliency" not in file.read_text(encoding="utf-8")
    for file in [*(COMPONENTS / "kafka").glob("*.yaml"), COMPONENTS / "README.md"]:
        settings = settings_of(file)
        assert (settings["sessionTimeout"], settings["heartbeatInterval"]) == ("6s", "2s"), file
        assert settings["escapeHeaders"] == "true", file
        assert settings["excludeHeaderMetaRegex"] == ".*", file
    assert settings_of(COMPONENTS / "kafka" / "pubsub.yaml")["initialOffset"] == "oldest"


def test_trap_04_the_sidecar_knows_no_dead_letter_topic(stack: Stack) -> None:
    subscriptions = stack.daprds[0].metadata()["subscriptions"]
    assert "task-events" in {subscription["topic"] for subscription in subscriptions}
    for subscription in subscriptions:
        assert not subscription.get("deadLetterTopic"), subscription
    argv = stack.daprds[0].command().argv
    assert "--enable-app-health-check" in argv
    assert "--app-health-probe-interval=2" in argv


def unreadable_id(topic: str, partition: int, offset: int, record: bytes) -> str:
    """The stand-in for an event id: a hash of the record's own bytes and place, as a UUID of version 8."""
    digest = bytearray(hashlib.sha256(f"unreadable {partition} {offset} {topic} ".encode() + record).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])


def test_trap_12_a_foreign_record_comes_back_byte_for_byte(stack: Stack) -> None:
    event = foreign_event("trap-12", 6_120_000, event_type="exploded")
    text = json.dumps(event)[:-2]  # open again, to add what no parser would write like this
    record = (text + ', "zeta":9007199254740993,  "big" : 123456789012345678901234567890,"alpha":1.10,"exp":1E+2,'
              '"twice":1,"twice":2,"slash":"\\/","umlaut":"\\u00fc \u00fc"}}').encode()
    json.loads(record)
    produce(stack, "task-events", [(b"trap-12", record)])
    ops = Operator(stack.api_target())
    [letter] = eventually(lambda: [d for d in ops.list() if d.record_key == "trap-12"], "the dead letter")
    assert ops.get(letter.id).record == record
    assert rows(stack, f"select event_id from dead_letters where id = '{letter.id}'") == [
        [unreadable_id("task-events", letter.partition, letter.offset, record)]]
    published(stack)
    [dead] = [r for r in eventually(lambda: [r for r in read_topic(stack, "task-events-dlq") if r.key == "trap-12"],
                                    "its record on the dead-letter topic")]
    assert b'"data":' + record in dead.value


@pytest.mark.parametrize("case, key, headers", [
    ("values", "trap-15-values", [("name", "\u017elu\u0165ou\u010dk\u00fd".encode()), ("binary", bytes(range(256)))]),
    ("names", "trap-15-names", [("h\u00e4der", b"x"), ("my key", b"x"), (":path", b"x"), ("", b"x")]),
    ("reserved", "trap-15-reserved", [("grpc-timeout", b"1n"), ("dapr-api-token", b"wrong"), ("te", b"x"),
                                      ("connection", b"close"), ("__offset", b"77"), ("__key", b"somebody")]),
    ("key", "\u043a\u043b\u044e\u0447 a+b%41@example.org/\u00fc", []),
])
def test_trap_15_headers_and_keys_of_any_kind_get_through(
        stack: Stack, case: str, key: str, headers: list[tuple[str, bytes]]) -> None:
    user = f"trap-15-{case}"
    task_id = 6_150_000 + 100 * len(case)
    good = [(key.encode(), record_of(user, task_id + n)[1]) for n in range(5)]
    produce(stack, "task-events", [*good, (key.encode(), f"no event: {case}".encode())], headers)
    took_effect(stack, user, 5)
    ops = Operator(stack.api_target())
    eventually(lambda: [d for d in ops.list() if d.record_key == key], "a dead letter under the record's own key")
    published(stack)
    eventually(lambda: [r for r in read_topic(stack, "task-events-dlq") if r.key == key], "and its record, keyed alike")
    acknowledged(stack)


def test_trap_15_a_key_of_any_size_gets_through(stack: Stack) -> None:
    """A dead letter with the same key, and its record in base64, would be more than the bus takes, for ever."""
    good = record_of("trap-15-size", 6_159_000)
    produce(stack, "task-events", [(b"key" * 150_000, b"no event" * 60_000), good, (b"key" * 340_000, b"no event")])
    took_effect(stack, "trap-15-size", 1)
    eventually(lambda: len([d for d in Operator(stack.api_target()).list() if d.record_key.startswith("keykey")]) == 2,
               "the dead letters")
    published(stack)
    assert len([r for r in read_topic(stack, "task-events-dlq") if r.key.startswith("keykey")]) == 2
    acknowledged(stack)


def test_trap_19_what_is_not_json_reaches_us_as_it_is(stack: Stack) -> None:
    records = [b"plain text", bytes(range(256)), b'{"cut":', b"\xff\xfe\x00", b"[1,2", b"", None]
    produce(stack, "task-events", [(b"trap-19", record) for record in records])
    produce(stack, "task-events", [record_of("trap-19", 6_190_000)])
    took_effect(stack, "trap-19", 1)

    def stored() -> list[bytes]:
        found = rows(stack, "select 'hex ' || encode(record, 'hex') from dead_letters where record_key = 'trap-19'")
        return sorted(bytes.fromhex(row[0].removeprefix("hex ")) for row in found)

    as_dapr_gives_them = sorted(b"null" if record is None else record for record in records)
    eventually(lambda: stored() == as_dapr_gives_them, "all are dead letters, as they came")
    acknowledged(stack)


def test_trap_26_a_batch_of_the_largest_records_gets_through(tmp_path: Path) -> None:
    """They pile up while the consumer is slow, and then come as one delivery."""
    with Stack(tmp_path / "run", service_binary=binary(), service_env={"TODO_FAULTS": "before-answer=delay:5000@1"},
               keep_data=False) as stack:
        produce(stack, "task-events", [record_of("trap-26", 6_260_000)])
        eventually(lambda: '"fault_point"' in stack.services[0].output(), "the first delivery is under way")
        large = []
        for n in range(1, 101):
            event = foreign_event("trap-26", 6_260_000 + n)
            event["data"]["task_data"]["note"] = "x" * 1_000_000
            large.append((b"trap-26", json.dumps(event).encode()))
        produce(stack, "task-events", large)
        client = Client(stack.api_target(), "trap-26")
        eventually(lambda: len(client.tasks()) == 101, "all 101 successors", within=240)
        acknowledged(stack)


def test_trap_26_an_alarm_says_that_deliveries_have_stopped(tmp_path: Path) -> None:
    with Stack(tmp_path / "run", service_binary=binary(), keep_data=False,
               service_flags=["--record-limit=1024", "--delivery-batch=1", "--audit-delay=2s"]) as stack:
        event = foreign_event("trap-26", 6_269_000)
        event["data"]["task_data"]["note"] = "x" * 900_000
        produce(stack, "task-events", [(b"trap-26", json.dumps(event).encode())])
        eventually(lambda: "larger than max" in stack.daprds[0].output(), "the sidecar is stuck with the large one")
        client = Client(stack.api_target(), "trap-26")
        client.create(title="published and not delivered")
        service = stack.services[0]
        eventually(lambda: '"deliveries_stopped"' in service.output(), "the error in the log", within=120)
        assert "todo_event_deliveries_stopped 1" in metrics(stack)
        assert "todo_events_missing 1" in metrics(stack)

        service.flags = ["--audit-delay=2s"]
        stack.restart("service-0")
        eventually(lambda: len(client.tasks()) == 2, "the effect of the large one", within=120)
        eventually(lambda: "todo_events_missing 0" in metrics(stack), "nothing is missing any more")
        assert "todo_event_deliveries_stopped 0" in metrics(stack)


def test_a_missing_secret_is_told_from_an_outage_by_words_alone(stack: Stack) -> None:
    daprd = stack.daprds[0]
    token = {"dapr-api-token": daprd.tokens["DAPR_API_TOKEN"]}
    status, body = http_get(daprd.http_port, "/v1.0/secrets/kubernetes-secrets/no-such-secret", token)
    assert status == 500, "as for anything that a component fails at"
    assert "not found" in json.loads(body)["message"]

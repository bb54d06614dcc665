"""Sentences on the real stack: from the words of a user to the tasks, over both doors and several replicas."""

from __future__ import annotations

import json
import random
import subprocess
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from chat_transcript import held, normal, written
from chats import Chat, GrpcChat, JsonChat, Refused
from conftest import REPOSITORY, binary
from todo_client import Client, Notified, eventually, rows

from tools.stack import Stack
from tools.stack.__main__ import first_steps

DOORS = pytest.mark.parametrize("door", [GrpcChat, JsonChat], ids=["grpc", "json"])


def kinds(answer: Any) -> list[str]:
    return [answer.Kind.Name(action.kind) for action in answer.actions]


def done(answer: Any, kind: str) -> Any:
    """The only action of the answer, which must have changed something."""
    assert not answer.HasField("question"), answer
    assert kinds(answer) == [kind] and answer.actions[0].changed, answer
    return answer.actions[0]


def open_titles(client: Client) -> list[str]:
    return sorted(task.title for task in client.tasks(completed=False))


def choice(answer: Any, title: str) -> int:
    """The number of the task with this title among those that the answer asks about."""
    numbers = [one.number for one in answer.question.choices if one.task.title == title]
    assert len(numbers) == 1, answer
    return numbers[0]


def ordinal(number: int) -> str:
    return f"the {('first', 'second', 'third', 'fourth', 'fifth')[number - 1]} one"


@DOORS
def test_a_finished_errand_brings_the_next_one(stack: Stack, door: type[Chat]) -> None:
    user = f"chat-errand-{door.__name__}"
    client = Client(stack.api_target(), user)
    groceries = client.create("Buy groceries", due_local="2036-12-01T10:00:00", time_zone="Europe/Berlin",
                              recurrence_rule="FREQ=WEEKLY")
    client.create("Buy a present")
    answer = door(stack, user).say("I finished buying groceries")
    action = done(answer, "COMPLETE")
    assert [task.id for task in action.tasks] == [groceries.id] and action.tasks[0].completed
    assert "Buy groceries" in answer.text and answer.understood_by == "grammar" and answer.undoable
    following = client.successor_of(groceries)
    assert (following.title, following.due_local) == ("Buy groceries", "2036-12-08T10:00:00")
    assert open_titles(client) == ["Buy a present", "Buy groceries"]


@DOORS
def test_texts_have_the_clock_that_the_user_chose(stack: Stack, door: type[Chat]) -> None:
    user = f"chat-clock-{door.__name__}"
    client, chat, settings = Client(stack.api_target(), user), door(stack, user), Notified(stack.api_target(), user)

    def texts() -> tuple[str, str, str]:
        parsed = client.call("ParseTask", client.messages.ParseTaskRequest(text="call on 3 May 2036 at 18:30"))
        rule = client.call("PreviewRecurrence", client.messages.PreviewRecurrenceRequest(count=1, task=client.messages.Task(
            due_local="2036-05-03T00:30:00", recurrence_rule="FREQ=DAILY")))
        return parsed.pieces[0].meaning, rule.text, chat.say("add call on 3 May 2036 at 17:00").text.partition(", due ")[2]

    def choose(**wording: Any) -> None:
        settings.call("UpdatePreferences", update_mask={"paths": ["wording.hour12"]}, preferences=(
            settings.messages.NotificationPreferences(wording=settings.messages.Wording(**wording))))

    day = "Saturday, 3 May 2036"
    with_24 = (f"{day}, 18:30", "every day at 00:30", f"{day}, 17:00.")
    assert texts() == with_24
    assert not settings.call("GetPreferences").wording.HasField("hour12")
    choose(hour12=True)
    assert texts() == (f"{day}, 6:30 pm", "every day at 12:30 am", f"{day}, 5 pm.")
    choose(hour12=False)
    assert texts() == with_24
    choose()
    assert not settings.call("GetPreferences").wording.HasField("hour12")


@DOORS
def test_a_dialogue_with_a_question_a_yes_and_an_undo(stack: Stack, door: type[Chat]) -> None:
    user = f"chat-dialogue-{door.__name__}"
    client, chat = Client(stack.api_target(), user), door(stack, user)
    titles = ["Write the report for Ann", "Write the report for Bob", "Water the plants"]
    reports = {title: client.create(title).id for title in titles}

    asked = chat.say("I've finished the report")
    assert sorted(one.task.title for one in asked.question.choices) == titles[:2] and not asked.undoable
    assert all(title in asked.text for title in titles[:2]) and open_titles(client) == sorted(titles)
    answer = chat.say(ordinal(choice(asked, titles[1])))
    assert [task.id for task in done(answer, "COMPLETE").tasks] == [reports[titles[1]]]
    assert open_titles(client) == sorted([titles[0], titles[2]])

    asked = chat.say("delete the plants")
    assert asked.HasField("question") and not asked.question.choices, asked
    assert titles[2] in asked.text and titles[2] in open_titles(client)
    answer = chat.say("yes")
    assert [task.id for task in done(answer, "DELETE").tasks] == [reports[titles[2]]]
    assert open_titles(client) == [titles[0]]

    before = client.changes()
    answer = chat.say("undo")
    assert "UNDO" in kinds(answer) and titles[2] in answer.text, answer
    restored = client.get(reports[titles[2]])
    assert restored.title == titles[2] and not restored.completed
    changes = client.changes()[len(before):]
    assert [(change.event_type, change.task_id) for change in changes] == [("created", reports[titles[2]])]


@DOORS
def test_no_means_no(stack: Stack, door: type[Chat]) -> None:
    user = f"chat-no-{door.__name__}"
    client, chat = Client(stack.api_target(), user), door(stack, user)
    client.create("Water the plants")
    for refusal in ("no", "never mind"):
        assert chat.say("delete water the plants").HasField("question")
        assert not chat.say(refusal).HasField("question")
        assert not any(action.changed for action in chat.say("yes").actions)  # it answers nothing any more
    assert open_titles(client) == ["Water the plants"]


@DOORS
def test_a_repeated_call_has_one_effect_and_the_same_answer(stack: Stack, door: type[Chat]) -> None:
    user = f"chat-repeat-{door.__name__}"
    client, chat = Client(stack.api_target(), user), door(stack, user)
    first = str(uuid.uuid4())
    answer = chat.say("add buy milk tomorrow at 9", request_id=first)
    added = done(answer, "ADD").tasks[0]
    assert added.title == "buy milk" and added.due_local.endswith("T09:00:00")
    assert answer.actions[0].resolved and answer.actions[0].resolved[0].meaning in answer.text
    asked = [chat.say("delete buy milk", request_id=second) for second in [str(uuid.uuid4())] * 2]
    assert asked[0] == asked[1] and asked[0].HasField("question")
    assert chat.say("add buy milk tomorrow at 9", request_id=first) == answer
    assert open_titles(client) == ["buy milk"]
    yes = str(uuid.uuid4())
    deleted = [chat.say("yes", request_id=yes) for _ in range(2)]
    assert deleted[0] == deleted[1] and done(deleted[0], "DELETE").tasks[0].id == added.id
    assert [change.event_type for change in client.changes()] == ["created", "deleted"]
    with pytest.raises(Refused):
        chat.say("add something else", request_id=first)
    assert open_titles(client) == []


def test_several_wishes_are_carried_out_together_or_not_at_all(stack: Stack) -> None:
    client, chat = Client(stack.api_target(), "chat-several"), GrpcChat(stack, "chat-several")
    report = client.create("Write the report", due_local="2036-12-01")
    plants = client.create("Water the plants")
    answer = chat.say("add call the bank tomorrow at 9, postpone the report to 5 December 2036 and complete the plants")
    assert kinds(answer) == ["ADD", "POSTPONE", "COMPLETE"], answer
    assert client.get(report.id).due_local == "2036-12-05" and client.get(plants.id).completed
    assert rows(stack, "select count(*), count(distinct xid), max(seq) - min(seq) from changes "
                       "where user_id = 'chat-several' and seq > 2") == [["3", "1", "2"]]

    before = len(client.changes())
    answer = chat.say("complete the report and complete the unicorn")
    assert not any(action.changed for action in answer.actions) and "unicorn" in answer.text, answer
    assert len(client.changes()) == before
    # All of it is taken back at once.
    chat.say("undo")
    assert client.get(report.id).due_local == "2036-12-01" and not client.get(plants.id).completed
    assert open_titles(client) == ["Water the plants", "Write the report"]


def test_a_user_neither_finds_nor_answers_for_another(stack: Stack) -> None:
    ada, bob = Client(stack.api_target(), "chat-ada"), Client(stack.api_target(), "chat-bob")
    chat_ada, chat_bob = GrpcChat(stack, "chat-ada"), GrpcChat(stack, "chat-bob")
    secret = bob.create("Plan the surprise party", description="for Ada")
    for text in ("complete the surprise party", "delete the surprise party", "find party", "show everything",
                 f"complete {secret.id}"):
        answer = chat_ada.say(text)
        assert not answer.HasField("question") and "Plan" not in answer.text, (text, answer)
        assert not any(action.tasks or action.changed for action in answer.actions), (text, answer)
    assert chat_bob.say("delete the surprise party").HasField("question")
    for text in ("yes", "1", "undo"):
        assert not any(action.changed for action in chat_ada.say(text).actions), text
    assert ada.changes() == [] and bob.get(secret.id).version == secret.version
    done(chat_bob.say("yes"), "DELETE")


def test_hostile_text_gets_a_clear_answer(stack: Stack) -> None:
    client = Client(stack.api_target(), "chat-hostile")
    client.create("Water the plants")
    for door in (GrpcChat, JsonChat):
        chat = door(stack, "chat-hostile")
        for text in ("'; drop table tasks; --", "complete ' or 1=1 --", "find %_%", "complete \u202eunicorn\u202c",
                     "complete :* & ! | <->", "undo\u0007\u001b[2J", "🍉" * 1_000):
            answer = chat.say(text)
            assert answer.text and not any(action.changed for action in answer.actions), (text, answer)
        for text in ("", "   ", "word " * 10_000, "x" * 2_001, "complete \0plants"):
            with pytest.raises(Refused) as refused:
                chat.say(text)
            assert refused.value.code == "INVALID_ARGUMENT", refused.value
    assert open_titles(client) == ["Water the plants"]


def wait_for_chat(stack: Stack) -> None:
    """Until all replicas reach their sidecars: after a failed attempt, a replica pauses for up to a second."""
    def answers(replica: int) -> bool:
        try:
            return bool(JsonChat(stack, "chat-waits", replica).say("help").text)
        except Refused as refused:
            assert refused.code == "UNAVAILABLE"
            return False
    for replica in range(2):
        eventually(lambda replica=replica: answers(replica), f"replica {replica} reaches its sidecar")


def test_a_dialogue_goes_on_at_another_replica_after_a_kill(two_replicas: Stack) -> None:
    wait_for_chat(two_replicas)
    user = "chat-replicas"
    client = Client(two_replicas.api_target(1), user)
    for title in ("Call the bank about the loan", "Call the bank about the card", "Old list"):
        client.create(title, **({} if title == "Old list" else {"due_local": "2036-12-01", "recurrence_rule": "daily"}))
    repeat = str(uuid.uuid4())
    asked = GrpcChat(two_replicas, user, 0).say("I called the bank", request_id=repeat)
    assert len(asked.question.choices) == 2, asked
    two_replicas.kill("service-0")
    second = JsonChat(two_replicas, user, 1)
    assert second.say("I called the bank", request_id=repeat) == asked
    card = choice(asked, "Call the bank about the card")
    completed = done(second.say(ordinal(card)), "COMPLETE").tasks[0]
    assert completed.title == "Call the bank about the card"
    eventually(lambda: len(client.tasks(completed=False)) == 3, "the next occurrence")

    two_replicas.start_one("service-0")
    yes = str(uuid.uuid4())
    assert second.say("delete old list").HasField("question")
    two_replicas.kill("service-1")
    first = GrpcChat(two_replicas, user, 0)
    answer = first.say("yes", request_id=yes)
    done(answer, "DELETE")
    two_replicas.kill("service-0")  # right after the answer
    two_replicas.start_one("service-0")
    two_replicas.start_one("service-1")
    assert GrpcChat(two_replicas, user, 1).say("yes", request_id=yes) == answer
    undone = JsonChat(two_replicas, user, 1).say("undo")
    assert "UNDO" in kinds(undone) and "Old list" in undone.text
    client = Client(two_replicas.api_target(0), user)
    assert open_titles(client).count("Old list") == 1
    assert [change.event_type for change in client.changes() if change.task.title == "Old list"] == [
        "created", "deleted", "created"]


def test_one_question_is_answered_once(two_replicas: Stack) -> None:
    """Many answers at the same time at both replicas, and not the same ones: the first one counts."""
    wait_for_chat(two_replicas)
    user = "chat-race"
    client = Client(two_replicas.api_target(), user)
    chats = [GrpcChat(two_replicas, user, n % 2) for n in range(8)]

    def deletes(chat: Chat, answer: str) -> bool:
        try:
            return any(action.changed for action in chat.say(answer).actions)
        except Refused as refusal:
            assert refusal.code in ("ABORTED", "UNAVAILABLE"), refusal
            return False

    kept = 0
    for n in range(20):
        title = f"old list {n}"
        client.create(title)
        assert chats[0].say(f"delete {title}").HasField("question")
        answers = ["yes", "no"] * (len(chats) // 2)
        random.Random(n).shuffle(answers)
        with ThreadPoolExecutor(len(chats)) as pool:
            told = list(pool.map(deletes, chats, answers))
        assert not any(deleted for deleted, answer in zip(told, answers, strict=True) if answer == "no"), (told, answers)
        assert any(told) == (title not in open_titles(client)), (told, answers)
        kept += not any(told)
    print(f"no came first {kept} times of 20")
    changes = client.changes()
    assert len(changes) == 20 + 20 - kept
    assert len(open_titles(client)) == kept


def test_nothing_is_done_while_the_dialogue_cannot_be_remembered(tmp_path: Path) -> None:
    """The sidecar has no state store at first."""
    components = tmp_path / "components"
    components.mkdir()
    with Stack(tmp_path / "run", service_binary=binary(), service_flags=["--statestore=late-store"],
               components=components, keep_data=False) as stack:
        client, chat = Client(stack.api_target(), "chat-state"), GrpcChat(stack, "chat-state")
        task = client.create("Buy groceries")
        with pytest.raises(Refused) as refused:
            chat.say("I finished buying groceries")
        assert refused.value.code == "UNAVAILABLE" and client.get(task.id).version == task.version
        store = (REPOSITORY / "deploy" / "components" / "common" / "statestore.yaml").read_text(encoding="utf-8")
        (components / "late.yaml").write_text(store.replace("name: statestore", "name: late-store"), encoding="utf-8")
        stack.restart("daprd-0")

        def works() -> Any:
            try:
                return chat.say("I finished buying groceries")
            except Refused as refusal:
                assert refusal.code == "UNAVAILABLE", refusal
                return None

        done(eventually(works, "the state store is found"), "COMPLETE")
        assert client.get(task.id).completed


def test_the_printed_line_does_what_it_says(stack: Stack) -> None:
    """As pasted from the lines that `make run` prints."""
    ada = Client(stack.api_target(), "ada")
    milk = ada.create("Buy milk")
    lines = first_steps(stack.api_target(), stack.web_url())
    words = lines.index("Or in words:")
    printed = subprocess.run(["bash", "-c", "\n".join(lines[words + 1:words + 3])], capture_output=True, text=True, check=True)
    assert json.loads(printed.stdout)["actions"][0]["kind"] == "COMPLETE" and ada.get(milk.id).completed


def test_the_dialogue_of_the_document_happens(stack: Stack) -> None:
    dialogue = written()
    assert normal(held(stack, "chat-document", dialogue)) == normal(dialogue), "run tests/integration/chat_transcript.py"

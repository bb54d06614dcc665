"""The chart's topics Job and topics test on a real broker, with a stand-in for the program rpk."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from charts import Manifest, Rendered, container

from tools.stack import Stack
from tools.stack.kafka import TOPICS, Kafka, Topic

JOB = ("Job", "demo-topics")
TEST = ("Pod", "demo-test-topics")
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """One broker, with none of the topics. The rest of the stack is not needed for long."""
    with Stack(tmp_path_factory.mktemp("topics"), topics=[], keep_data=False) as stack:
        yield stack.kafka


@pytest.fixture
def kafka(broker: Kafka) -> Kafka:
    broker.wipe()
    return broker


class Topics:
    """Runs the container of the Job or of the test as the rendered pod says."""

    def __init__(self, kafka: Kafka, folder: Path) -> None:
        self._kafka = kafka
        self._rendered = Rendered("local", sets=["kafka.topics.create=true"])
        # As the image has it: the program under its own name.
        rpk = folder / "rpk"
        rpk.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name("rpk.py")} "$@"\n', "utf-8")
        rpk.chmod(0o755)
        self._path = f"{folder}:{os.environ['PATH']}"

    def run(self, document: tuple[str, str], brokers: str = "") -> tuple[int, str]:
        found = self._rendered.one(*document)
        pod: Manifest = found if found["kind"] == "Pod" else found["spec"]["template"]
        told: dict[str, Any] = container(pod, "topics")
        env = {one["name"]: one["value"] for one in told["env"]}
        env.update(PATH=self._path, RPK_BROKERS=brokers or self._kafka.brokers)
        done = subprocess.run([*told["command"], *told["args"]], env=env, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def topics(kafka: Kafka, tmp_path: Path) -> Topics:
    return Topics(kafka, tmp_path)


def test_the_job_makes_the_topics_of_the_contract(kafka: Kafka, topics: Topics) -> None:
    code, said = topics.run(JOB)
    assert (code, said.splitlines()[-1]) == (0, "the topics are as the contract of the events says")
    with kafka.client() as client:
        made = {name: (len(partitions), client.topic_config(name)["retention.ms"])
                for name, partitions in client.topics().items()}
    assert made == {one.name: (one.partitions, str(one.retention_ms)) for one in TOPICS}
    assert topics.run(JOB)[0] == topics.run(TEST)[0] == 0, "once more does no harm"


def test_missing_topics_are_named(topics: Topics) -> None:
    code, said = topics.run(TEST)
    assert code == 3
    for topic in TOPICS:
        assert f"topic {topic.name} cannot be read: make it" in said


@pytest.mark.parametrize("document", [JOB, TEST])
def test_topics_that_differ_from_the_contract_are_named(kafka: Kafka, topics: Topics, document: tuple[str, str]) -> None:
    kafka.create_topics([*(one for one in TOPICS if one.name not in ("task-events", "reminders")),
                         Topic("task-events", 1, HOUR_MS), Topic("reminders", 2, -1)])
    code, said = topics.run(document)
    assert code == 3, said
    assert "topic task-events has fewer partitions than needed, 1 instead of 3: rpk topic add-partitions task-events --num 2" in said
    assert "topic task-events forgets its records too early, after 3600000 ms instead of 604800000: " \
           "rpk topic alter-config task-events --set retention.ms=604800000" in said
    assert "topic reminders keeps its records longer than needed" in said
    assert "topic task-updates" not in said
    assert "as the contract" not in said


def test_a_broker_that_is_away_is_no_decision_of_a_person(topics: Topics) -> None:
    """The Job tries again."""
    assert topics.run(JOB, brokers="127.0.0.1:9")[0] == 1

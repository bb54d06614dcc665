"""The runner's own promises: the stack is what the contract says, and nothing stays behind however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from tools.stack import Stack, StackError, Topic, wait_until  # noqa: E402

HOUR_MS = 3_600_000
CONTRACT = {  # partitions and retention, as documented; not taken from the code under test
    "task-events": (3, 7 * 24 * HOUR_MS),
    "reminders": (1, 24 * HOUR_MS),
    "task-updates": (3, HOUR_MS),
    "task-events-dlq": (3, 7 * 24 * HOUR_MS),
    "reminders-dlq": (1, 7 * 24 * HOUR_MS),
}


def stand_in(folder: Path) -> Path:
    """The stand-in as a program of its own, run by the Python that has grpcio."""
    program = folder / "service"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).parent / "stand_in.py"}" "$@"\n')
    program.chmod(0o755)
    return program


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("kafka")
    with Stack(folder / "run", service_binary=stand_in(folder), replicas=2, keep_data=False) as running:
        yield running


# A running stack.


def test_topics_are_those_of_the_contract(stack: Stack) -> None:
    with stack.kafka.client() as client:
        found = {
            name: (len(partitions), int(client.topic_config(name)["retention.ms"]))
            for name, partitions in client.topics().items()
        }
    assert found == CONTRACT


def test_database_is_durable_private_and_not_ours_to_rule(stack: Stack) -> None:
    def setting(name: str) -> str:
        return stack.postgres.query(f"show {name}", superuser=True)

    assert setting("fsync") == setting("synchronous_commit") == setting("full_page_writes") == "on"
    assert setting("listen_addresses") == "127.0.0.1"
    assert stack.postgres.query("select rolsuper from pg_roles where rolname = current_user") == "f"
    assert stack.postgres.query("select pg_get_userbyid(datdba) from pg_database where datname = 'todo'") == "todo"
    refused = subprocess.run(
        ["psql", stack.database_url.replace("todo:", "todo:not"), "-c", "select 1"], capture_output=True, text=True
    )
    assert "password authentication failed" in refused.stderr


def test_no_secret_is_readable_by_others(stack: Stack) -> None:
    assert (stack.directory / "secrets.json").stat().st_mode & 0o077 == 0
    secrets = [stack.tokens()["DAPR_API_TOKEN"], stack.database_url.split("@")[0].split(":")[2]]
    for name in stack.names:
        arguments = Path(f"/proc/{stack.node(name).pid}/cmdline").read_text()
        assert not [secret for secret in secrets if secret in arguments], name


def test_components_of_the_contract_are_loaded(stack: Stack) -> None:
    loaded = {component["name"]: component["type"] for component in stack.daprds[0].metadata()["components"]}
    assert loaded["kafka-pubsub"] == loaded["kafka-broadcast"] == "pubsub.kafka"
    assert loaded["statestore"] == "state.postgresql"
    assert loaded["kubernetes-secrets"] == "secretstores.local.file"


def test_killed_daprd_comes_back_on_the_same_port(stack: Stack) -> None:
    before = stack.daprds[0].grpc_endpoint
    pid = stack.node("daprd-0").pid
    stack.kill("daprd-0")
    with pytest.raises(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{stack.daprds[0].http_port}/v1.0/healthz", timeout=2)
    stack.start_one("daprd-0")
    assert stack.daprds[0].grpc_endpoint == before
    assert stack.node("daprd-0").pid not in (None, pid)
    assert stack.died() == []


def test_frozen_database_is_silent_until_thawed(stack: Stack) -> None:
    stack.freeze("postgres")
    with pytest.raises(StackError, match=r"timeout|timed out"):
        stack.postgres.query("select 1")
    stack.thaw("postgres")
    assert stack.postgres.query("select 1") == "1"


def test_killed_database_keeps_what_was_committed(stack: Stack) -> None:
    stack.postgres.query("create table kept (x int)")
    stack.postgres.query("insert into kept values (42)")
    stack.kill("postgres")
    stack.start_one("postgres")
    assert stack.postgres.query("select x from kept") == "42"


def test_a_database_is_set_back_to_its_backup_while_it_is_in_use(stack: Stack) -> None:
    stack.postgres.query("create table counted (x int); insert into counted values (1)")
    backup = stack.postgres.dump()
    stack.postgres.query("insert into counted values (2); create table later (x int)")
    with subprocess.Popen(["psql", "-X", stack.database_url, "-c", "select pg_sleep(60)"], stderr=subprocess.PIPE,
                          stdout=subprocess.DEVNULL, text=True) as client:
        sleeping = "select count(*) from pg_stat_activity where query = 'select pg_sleep(60)'"
        wait_until(lambda: None if stack.postgres.query(sleeping) == "1" else "no client yet", "a client", within=30)
        stack.postgres.restore(backup)
        _, error = client.communicate(timeout=30)
    assert "terminating connection" in error
    assert stack.postgres.query("select x from counted") == "1"
    assert stack.postgres.query("select to_regclass('later') is null") == "t"
    assert stack.postgres.query("select pg_get_userbyid(datdba) from pg_database where datname = 'todo'") == "todo"
    assert stack.postgres.query("select tableowner from pg_tables where tablename = 'counted'") == "todo"
    assert stack.died() == []
    stack.postgres.restore(backup)  # once more


def test_topics_can_be_deleted_added_and_wiped(stack: Stack) -> None:
    kafka = stack.kafka
    kafka.create_topics([Topic("extra", 2, HOUR_MS)])
    kafka.delete_topic("task-updates")
    with kafka.client() as client:
        assert "task-updates" not in client.topics()
        assert len(client.topics()["extra"]) == 2
    kafka.wipe()
    with kafka.client() as client:
        assert set(client.topics()) == set(CONTRACT)


def test_a_process_that_ends_by_itself_is_noticed(stack: Stack) -> None:
    service = stack.node("service-0")
    assert service.pid
    os.kill(service.pid, signal.SIGKILL)
    wait_until(lambda: None if stack.died() == ["service-0"] else str(stack.died()), "noticing", within=5)
    service.kill()
    stack.start_one("service-0")
    assert stack.died() == []


def test_a_start_that_fails_says_why(stack: Stack) -> None:
    service = stack.services[0]
    stack.stop_one("service-0")
    assert service.exit_code == 0
    service.env["APP_API_TOKEN"] = ""
    with pytest.raises(StackError, match=r"(?s)service-0 did not start.*exit code 1.*AssertionError"):
        stack.start_one("service-0")
    del service.env["APP_API_TOKEN"]
    service.kill()
    stack.start_one("service-0")


# The command line, and what it leaves behind.


class Run:
    """`python3 -m tools.stack run` in a folder."""

    def __init__(self, folder: Path, program: Path, *more: str) -> None:
        self.folder = folder
        self.log = folder.with_suffix(".out")
        command = [sys.executable, "-m", "tools.stack", "run", "--dir", str(folder), "--service", str(program), *more]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                command, cwd=REPOSITORY, stdout=out, stderr=out, preexec_fn=_default_signals
            )

    def wait_for(self, text: str) -> None:
        def missing() -> str | None:
            return None if text in self.output() else self.output()

        def ended() -> str | None:
            return f"ended: {self.output()}" if self.process.poll() is not None and missing() else None

        wait_until(missing, f"'{text}'", 60, ended)

    def output(self) -> str:
        return self.log.read_text()

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


def _default_signals() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job would ignore Ctrl-C


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "run"
    assert_nothing_runs_in(tmp_path / "run")
    Stack(tmp_path / "run").wipe()


def processes_of(folder: Path) -> list[str]:
    """Whatever runs for this folder: it is in the arguments, or the folder is what it works in."""
    roots = [str(folder), str((folder / "postgres").resolve())]
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            arguments = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            working = os.readlink(process / "cwd")
            if arguments and any(root in arguments or working.startswith(root) for root in roots):
                found.append(f"{process.name}: {arguments[:120]}")
    return found


def assert_nothing_runs_in(folder: Path) -> None:
    wait_until(lambda: "\n".join(processes_of(folder)) or None, "everything ends", within=10)


def test_ctrl_c_stops_all_and_data_stays(folder: Path, tmp_path: Path) -> None:
    program = stand_in(tmp_path)
    run = Run(folder, program)
    run.wait_for("Ctrl-C stops it")
    assert len(processes_of(folder)) > 4
    ask(folder, "create table mine (x int); insert into mine values (7)")

    again = Run(folder.with_name("other"), program, "--dir", str(folder))
    assert again.process.wait(20) == 1
    assert f"already runs in {folder} (process {run.process.pid})" in again.output()

    assert run.end(signal.SIGINT) == 0
    assert_nothing_runs_in(folder)

    run = Run(folder, program)
    run.wait_for("Ctrl-C stops it")
    assert ask(folder, "select x from mine") == "7"
    assert run.end(signal.SIGTERM) == 0


def test_kill_9_of_the_runner_leaves_nothing_and_the_next_run_works(folder: Path, tmp_path: Path) -> None:
    program = stand_in(tmp_path)
    run = Run(folder, program)
    run.wait_for("Ctrl-C stops it")
    ask(folder, "create table mine (x int); insert into mine values (8)")
    run.end(signal.SIGKILL)
    assert_nothing_runs_in(folder)

    run = Run(folder, program)
    run.wait_for("Ctrl-C stops it")
    assert ask(folder, "select x from mine") == "8"
    assert run.end(signal.SIGINT) == 0


def test_a_dying_process_ends_the_run_with_its_name(folder: Path, tmp_path: Path) -> None:
    run = Run(folder, stand_in(tmp_path))
    run.wait_for("Ctrl-C stops it")
    ((pid, _),) = json.loads((folder / "pids.json").read_text())["processes"]["daprd-0"]
    os.kill(pid, signal.SIGKILL)
    assert run.process.wait(30) == 1
    assert "daprd-0 ended by itself (exit code -9)" in run.output()


def test_ctrl_c_while_starting(folder: Path, tmp_path: Path) -> None:
    run = Run(folder, stand_in(tmp_path), "--broker", "kafka")
    wait_until(lambda: None if len(processes_of(folder)) > 2 else "not yet", "first processes", within=20)
    began = time.monotonic()
    assert run.end(signal.SIGINT) == 0, run.output()
    assert time.monotonic() - began < 10


def ask(folder: Path, sql: str) -> str:
    """Runs SQL in a stack that another process runs, from what is written in its folder."""
    port = json.loads((folder / "ports.json").read_text())["ports"]["postgres"]
    password = json.loads((folder / "secrets.json").read_text())["postgres"]["todo"]
    url = f"postgresql://todo:{password}@127.0.0.1:{port}/todo"
    return subprocess.run(["psql", "-XqAt", url, "-c", sql], capture_output=True, text=True, check=True).stdout.strip()

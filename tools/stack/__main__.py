"""Command line.

    python3 -m tools.stack run [--broker memory|kafka] [--dir .run] [-- service flags]
    python3 -m tools.stack database -- COMMAND     runs COMMAND with a PostgreSQL of its own
"""

from __future__ import annotations

import argparse
import datetime
import os
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

from .database import run_with_database
from .place import StackError
from .stack import Stack


class _Stop(BaseException):
    """Somebody asked us to end."""


def main() -> int:
    arguments = _parse()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ask_to_stop)
    if arguments.command == "database":
        return _run_with_database(arguments.argv)
    service_env = {key: value for key, value in os.environ.items() if key.startswith("TODO_") and key != "TODO_CACHE"}
    stack = Stack(
        arguments.dir,
        broker=arguments.broker,
        service_binary=None if arguments.no_service else arguments.service,
        replicas=arguments.replicas,
        service_flags=arguments.flags,
        service_env=service_env,
        raise_limits=False,
        preferred_ports={"api-0": 50052, "web-0": 8080, "ops-0": 8081},
    )
    try:
        if arguments.fresh:
            stack.wipe()
        began = time.monotonic()
        print(f"starting in {_short(stack.directory)} ...", flush=True)
        stack.start()
        print(_welcome(stack, time.monotonic() - began, not arguments.no_service), flush=True)
        while not (died := stack.died()):
            time.sleep(0.2)
        for name in died:
            node = stack.node(name)
            print(f"\n{name} ended by itself (exit code {node.exit_code}). Its last words:\n{node.last_words()}")
        print("stopping the rest ...", flush=True)
        return 1
    except _Stop:
        print("\nstopping ...", flush=True)
        return 0
    except StackError as error:
        print(f"stack: {error}", file=sys.stderr)
        return 1
    finally:
        # A second Ctrl-C must not leave half of it running.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        stack.stop()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m tools.stack", description="Runs todo-service on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="start everything, until Ctrl-C")
    run.add_argument("--broker", choices=("memory", "kafka"), default="memory", help="memory is for trying out")
    run.add_argument("--dir", type=Path, default=Path(".run"), help="data and logs; kept between runs")
    run.add_argument("--service", type=Path, default=Path("build/release/todo-service"), help="the binary")
    run.add_argument("--no-service", action="store_true", help="start the rest, for a service in a debugger")
    run.add_argument("--replicas", type=int, default=1)
    run.add_argument("--fresh", action="store_true", help="forget the data of earlier runs")
    run.add_argument("flags", nargs="*", metavar="-- FLAG", help="further flags for the service, as --name=value")
    database = commands.add_parser("database", help="run a command with TODO_TEST_DATABASE_URL set")
    database.add_argument("argv", nargs="+", metavar="-- COMMAND")
    return parser.parse_args()


def _run_with_database(argv: list[str]) -> int:
    try:
        return run_with_database(argv)
    except _Stop:
        return 1
    except StackError as error:
        print(f"stack: {error}", file=sys.stderr)
        return 1


def _ask_to_stop(*_: object) -> NoReturn:
    raise _Stop


def _welcome(stack: Stack, seconds: float, with_service: bool) -> str:
    what = "todo-service runs" if with_service else "everything but the service runs"
    bus = f"Kafka, 127.0.0.1:{stack.ports['kafka']}" if stack.broker == "kafka" else "in memory, for trying out"
    lines = [f"{what} ({seconds:.1f} s)."]
    for daprd in stack.daprds:
        if with_service:
            lines.append(f"  api        {stack.api_target(daprd.number)} (gRPC), {stack.web_url(daprd.number)} (JSON)")
        else:
            lines.append(f"  app port   {stack.app_target(daprd.number)}, where daprd waits for the service")
        lines.append(f"  daprd      {daprd.grpc_endpoint} (gRPC), 127.0.0.1:{daprd.http_port} (HTTP)")
    lines += [
        f"  bus        {bus}",
        f"  database   127.0.0.1:{stack.postgres.port}, its password is in {_short(stack.directory / 'secrets.json')}",
        f"  logs       {_short(stack.logs)}/",
    ]
    if with_service:
        lines += first_steps(stack.api_target(), stack.web_url())
    return "\n".join([*lines, "", "Ctrl-C stops it; your tasks stay for the next run (--fresh forgets them)."])


def first_steps(target: str, web: str) -> list[str]:
    """To be pasted into another terminal, line by line: a recurring task, and what completing it does."""
    tomorrow = datetime.date.today() + datetime.timedelta(days=1)
    task = (
        f'{{"task": {{"title": "Water the plants", "due_local": "{tomorrow}T09:00:00", '
        '"time_zone": "Europe/Berlin", "recurrence_rule": "FREQ=WEEKLY"}}'
    )
    return [
        "",
        f"Open the page in a browser, and sign in with any name: {web}/",
        "",
        "Or call it, in a second terminal in this folder:",
        f"""  todo() {{ "$(tools/setup --where grpcurl)" -plaintext -H 'x-user-id: ada' -d "$2" {target} \\""",
        """           "todo.v1.TodoService/$1"; }""",
        f"  todo CreateTask '{task}'",
        """  todo CompleteTask '{"id": 1}'                            # the id that CreateTask answered""",
        """  todo ListTasks '{"filter": {"completed": false}}'        # the next occurrence, a week later""",
        """  todo ListChanges '{}'                                    # what happened, in order""",
        "",
        "The same methods are called with JSON over HTTP:",
        """  curl -H 'x-user-id: ada' -H 'content-type: application/json' -d '{"task": {"title": "Buy milk"}}' \\""",
        f"""       {web}/todo.v1.TodoService/CreateTask""",
        "",
        "Or in words:",
        """  curl -H 'x-user-id: ada' -H 'content-type: application/json' -d '{"text": "I finished buying milk"}' \\""",
        f"""       {web}/todo.v1.ChatService/Send""",
        "",
        "Live screens show each change as it happens, until Ctrl-C: as server-sent events, and over a WebSocket.",
        f"""  curl -N -H 'x-user-id: ada' '{web}/events?snapshot=none'""",
        f"""  tools/setup tests; "$(tools/setup --where python)" docs/examples/live.py {web.replace("http", "ws", 1)}/ws ada""",
        "",
        "README.md goes on from here.",
    ]


def _short(path: Path) -> str:
    """As a person in this folder would write it."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    sys.exit(main())

"""deploy/compose.yaml against tools/stack: there is no Docker here, so what it would start is compared."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))
from tools.image.root import BINARY, USER  # noqa: E402
from tools.stack import Stack  # noqa: E402
from tools.stack.dapr import render_components  # noqa: E402
from tools.stack.kafka import TOPICS  # noqa: E402

COMPOSE = REPOSITORY / "deploy" / "compose.yaml"
VARIABLES = {"DATABASE_PASSWORD": "secret", "APP_API_TOKEN": "app", "DAPR_API_TOKEN": "dapr", "TODO_KEYS": "/keys.json"}
PORTS = {"app-0": 50051, "api-0": 50052, "web-0": 8080, "ops-0": 8081, "daprd-grpc-0": 50001, "daprd-http-0": 3500,
         "daprd-internal-0": 50002, "daprd-metrics-0": 9090, "scheduler": 50006, "scheduler-etcd-client": 2379,
         "scheduler-etcd-peer": 2380, "scheduler-healthz": 8080, "scheduler-metrics": 9090, "postgres": 5432, "kafka": 9092,
         "kafka-controller": 9093}
AUTH = ("--auth-issuer=todo-local", "--auth-jwks-file=/etc/todo-service/keys.json")

Services = dict[str, dict[str, Any]]


def filled(text: str) -> str:
    """As Compose fills in variables: ${NAME:?what is wrong}, and $$ for a dollar."""
    return re.sub(r"\$(?:(\$)|\{([A-Z_]+):\?[^}]+\})", lambda found: "$" if found[1] else VARIABLES[found[2]], text)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(filled(COMPOSE.read_text("utf-8")))
    return content


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> Services:
    found: Services = compose["services"]
    return found


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """What it would start; it is not started."""
    made = Stack(tmp_path_factory.mktemp("stack"), service_binary="todo-service", raise_limits=False, service_flags=AUTH,
                 configuration=Path("/dapr/configuration.yaml"))
    made.node("daprd-0").place.ports = dict(PORTS)
    return made


def flags(words: Sequence[str]) -> dict[str, str]:
    return {name: value for name, _, value in (word.partition("=") for word in words if word.startswith("--"))}


def differences(services: Services, stack: Stack, service: str, node: str) -> dict[str, str | None]:
    """The flags that are others here, with their value here; None: not here."""
    here, there = flags(services[service]["command"]), flags(stack.node(node).command().argv)
    return {name: here.get(name) for name in here.keys() | there.keys() if here.get(name) != there.get(name)}


def test_the_service_gets_the_same_flags(services: Services, stack: Stack) -> None:
    # gRPC leaves the container; `ports` keeps it on this machine.
    assert differences(services, stack, "todo-service", "service-0") == {"--api-address": "0.0.0.0"}
    assert all(port.startswith("127.0.0.1:") for port in services["todo-service"]["ports"])
    assert services["daprd"]["network_mode"] == "service:todo-service"


def test_the_sidecar_gets_the_same_flags(services: Services, stack: Stack) -> None:
    assert differences(services, stack, "daprd", "daprd-0") == {
        "--resources-path": "/dapr/components", "--scheduler-host-address": "scheduler:50006"}


def test_the_scheduler_gets_the_same_flags(services: Services, stack: Stack) -> None:
    assert differences(services, stack, "scheduler", "scheduler") == {
        # In a container of its own others must reach it.
        "--listen-address": None, "--healthz-listen-address": None, "--metrics-listen-address": None,
        "--override-broadcast-host-port": "scheduler:50006", "--etcd-data-dir": "/data",
        "--identity-directory-write": "/data/identity"}


@pytest.mark.parametrize(("service", "node"), [("todo-service", "service-0"), ("daprd", "daprd-0")])
def test_the_environment_has_the_same_names(services: Services, stack: Stack, service: str, node: str) -> None:
    expected = stack.node(node).command().env
    assert services[service]["environment"].keys() == expected.keys()
    for name in ("POD_NAME", "NAMESPACE"):
        assert services[service]["environment"].get(name) == expected.get(name)


def test_both_sides_know_the_same_passwords(services: Services) -> None:
    ours, theirs = services["todo-service"]["environment"], services["daprd"]["environment"]
    for name in ("APP_API_TOKEN", "DAPR_API_TOKEN"):
        assert ours[name] == theirs[name] == VARIABLES[name]


def test_the_database_is_as_durable(compose: dict[str, Any], stack: Stack) -> None:
    def settings(words: Sequence[str]) -> set[str]:
        return {word for option, word in zip(words, words[1:], strict=False) if option == "-c"}

    expected = settings(stack.postgres.command().argv)
    where = ("listen_addresses=", "port=", "unix_socket_directories=")
    assert settings(compose["services"]["postgres"]["command"]) == {one for one in expected if not one.startswith(where)}
    assert compose["configs"]["database"]["content"].splitlines() == [
        "create role todo login password 'secret';", "create database todo owner todo;"]


def test_the_bus_has_the_topics_of_the_contract(services: Services) -> None:
    [script] = services["topics"]["command"]
    made = set(re.findall(r"rpk topic create (\S+) --if-not-exists -p (\d+) -r 1 -c retention\.ms=(\d+)", script))
    assert made == {(one.name, str(one.partitions), str(one.retention_ms)) for one in TOPICS}
    command = services["redpanda"]["command"]
    assert "redpanda.auto_create_topics_enabled=false" in command
    assert not [word for word in command if "dev-container" in word or "bypass-fsync" in word]


def test_the_components_are_the_same(services: Services, tmp_path: Path) -> None:
    """The script is run, with the folders of this clone instead of the container's."""
    [script] = services["components"]["command"]
    here = tmp_path / "here"
    here.mkdir()
    script = re.sub(r"^\s*chown .*\n", "", script, flags=re.M)  # only root can
    # Not in what sed writes, which is read in the container.
    script = re.sub(r"(?<![|'])/dapr/", f"{here}/", script).replace("/source/", f"{REPOSITORY}/")
    script = script.replace("mkdir -p /dapr", f"mkdir -p {here}")
    subprocess.run(["sh", "-euc", script], env={"PATH": "/usr/bin:/bin", **services["components"]["environment"]}, check=True)
    render_components(tmp_path / "there", "kafka", {"kafka_brokers": "redpanda:9092", "secrets_file": "/dapr/secrets.json"})
    assert texts(here / "components") == texts(tmp_path / "there")
    url = json.loads((here / "secrets.json").read_text("utf-8"))["todo-secrets"]["database-url"]
    assert url == services["todo-service"]["environment"]["TODO_DATABASE_URL"]
    assert (here / "configuration.yaml").read_text("utf-8") == (
        REPOSITORY / "deploy" / "configuration" / "access-control.yaml").read_text("utf-8")


def texts(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text("utf-8") for file in folder.iterdir()}


def test_versions_are_those_that_are_tested(services: Services) -> None:
    module = (REPOSITORY / "tools" / "dapr" / "go.mod").read_text("utf-8")
    found = re.search(r"github\.com/dapr/dapr v(\S+)", module)
    assert found
    for name in ("daprd", "scheduler"):
        assert services[name]["image"] == f"docker.io/daprio/{name}:{found[1]}"
    chart = yaml.safe_load((REPOSITORY / "charts" / "todo-service" / "values.yaml").read_text("utf-8"))
    assert services["redpanda"]["image"] == services["topics"]["image"] == chart["kafka"]["topics"]["image"]


def test_stopping_has_time_enough(services: Services) -> None:
    seconds = {name: int(services[name]["stop_grace_period"].removesuffix("s")) for name in ("todo-service", "daprd")}
    assert seconds["todo-service"] > 2 * 10  # --drain-timeout; after twice of it the process exits at once
    assert seconds["daprd"] > int(flags(services["daprd"]["command"])["--dapr-graceful-shutdown-seconds"])


def test_nobody_is_root_and_nothing_is_written(services: Services) -> None:
    for name in ("todo-service", "daprd"):
        one = services[name]
        assert one["read_only"] and one["cap_drop"] == ["ALL"] and one["security_opt"] == ["no-new-privileges:true"]
    assert services["daprd"]["user"] == f"{USER}:{USER}"


def test_the_dockerfile_makes_the_same_image() -> None:
    lines = (REPOSITORY / "Dockerfile").read_text("utf-8").splitlines()
    assert lines[-4:] == ["FROM scratch", "COPY --from=build /image /", f"USER {USER}:{USER}", f'ENTRYPOINT ["/{BINARY}"]']
    # The packages between these two headings, and all that the build needs is between them.
    packages = (REPOSITORY / "tools" / "packages.txt").read_text("utf-8")
    for heading in re.findall(r"/\^(# [a-z ]+)/", "\n".join(lines)):
        assert f"\n{heading}\n" in packages

"""The pods of the chart, run: the service from the image's root with what the chart says, daprd with what Dapr's injector
says and the chart's components, PostgreSQL and Kafka beside them, and tokens of a real Kubernetes API server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import cloud_kafka
import pytest
import trustme
from charts import NAMESPACE, RELEASE, Rendered
from cloud_kafka import CloudKafka
from image import Image
from kube_api import ApiError, KubeApi
from pods import SCHEDULER, Container, Pod
from todo_client import eventually

from tools.stack import process_table
from tools.stack.dapr import Scheduler
from tools.stack.installed import REPOSITORY
from tools.stack.place import Place
from tools.stack.postgres import Postgres

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="containers are made by hand here, which needs root")

HOSTS = {"redpanda": "127.0.0.11", cloud_kafka.HOST: "127.0.0.12", "postgres": "127.0.0.13", SCHEDULER: "127.0.0.14"}
ISSUER = "https://kubernetes.default.svc"
USER = 65532
NOBODY_ELSES = {"app": 50051, "api": 50052, "daprd's HTTP": 3500, "daprd's gRPC": 50001}


class Cluster:
    """What runs beside the pods."""

    def __init__(self, folder: Path, api: KubeApi, image: Image) -> None:
        self.folder = folder
        self.place = Place(folder / "run")
        self.postgres = Postgres(self.place)
        self.kafka = CloudKafka(self.place)
        self._scheduler = Scheduler(self.place)
        self._api = api
        self._image = image
        self._runs = 0

    def __enter__(self) -> Cluster:
        parts = [f"scheduler-{part}" for part in ("etcd-client", "etcd-peer", "healthz", "metrics")]
        doors = [f"kafka-{door}" for door in cloud_kafka.DOORS]
        self.place.open(["postgres", "kafka", "kafka-controller", "scheduler", *parts, *doors], {})
        self.place.secret("postgres", "todo", "todo")  # as in values-all-in-one.yaml
        try:
            for node in (self.postgres, self.kafka, self._scheduler):
                node.start()
            self.kafka.add_user()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.place.closing.set()
        for node in (self._scheduler, self.kafka, self.postgres):
            node.stop()
        self.place.close()

    def token(self) -> str:
        """Of the release's service account, for the service, as a projected volume of a pod has it."""
        for path, body in (("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}}),
                           (f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", {"metadata": {"name": RELEASE}})):
            with suppress(ApiError):
                self._api.call("POST", path, body)
        made = self._api.call("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{RELEASE}/token",
                              {"spec": {"audiences": ["todo-service"], "expirationSeconds": 3600}})
        return str(made["status"]["token"])

    def render(self, values: str, sets: Sequence[str] = ()) -> Rendered:
        """With the cluster as issuer, as docs/install.md says."""
        keys = json.dumps(self._api.call("GET", "/openid/v1/jwks"))
        return Rendered(values, sets=[f"auth.issuer={json.dumps(ISSUER)}", f"auth.jwks={json.dumps(keys)}", *sets])

    @contextmanager
    def pods(self, rendered: Rendered, door: str = "sasl_ssl", **secrets: str) -> Iterator[dict[str, Pod]]:
        """All workloads, one pod each. `secrets` are entries of todo-secrets besides those that the documents name."""
        self._runs += 1
        folder = self.folder / f"pods-{self._runs}"
        folder.mkdir()
        entries = {"database-url": "postgresql://todo:todo@postgres:5432/todo", "kafka-username": cloud_kafka.USER,
                   "kafka-password": cloud_kafka.PASSWORD, "kafka-ca": self.kafka.ca}
        given = {"todo-secrets": {**entries, **{name.replace("_", "-"): value for name, value in secrets.items()}}}
        with ExitStack() as stack:
            made = {name: Pod(folder, self.place, rendered, name, self._image, given, HOSTS) for name in rendered.pods}
            for pod in made.values():
                self._wire(pod, door)
                stack.enter_context(pod)
            yield made

    def _wire(self, pod: Pod, door: str) -> None:
        ports = self.place.ports
        for name, port, target in (("redpanda", 9092, "kafka"), (cloud_kafka.HOST, 9092, f"kafka-{door}"),
                                   (cloud_kafka.HOST, 9093, f"kafka-{door}"), ("postgres", 5432, "postgres"),
                                   (SCHEDULER, 443, "scheduler")):
            pod.network.reach((HOSTS[name], port), ("127.0.0.1", ports[target]))
        # Broker and scheduler tell clients these addresses.
        for name in ("kafka", "scheduler"):
            pod.network.reach(("127.0.0.1", ports[name]), ("127.0.0.1", ports[name]))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, api: KubeApi, image: Image) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("pods"), api, image) as running:
        yield running


class Caller:
    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._token = token

    def call(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.url}/todo.v1.TodoService/{method}", json.dumps(body).encode(), {
            "authorization": f"Bearer {self._token}", "content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                answer: dict[str, Any] = json.load(response)
                return answer
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method}: {error.code}: {error.read().decode()}") from None


def main_story(caller: Caller) -> None:
    """A task, its event, its completion, and the next occurrence that the consumer makes of that event."""
    task = caller.call("CreateTask", {"task": {"title": "water the plants", "due_local": "2030-10-26T09:00:00",
                                               "time_zone": "Europe/Berlin", "recurrence_rule": "FREQ=DAILY"}})
    created = task.get("task", task)
    caller.call("CompleteTask", {"id": created["id"]})

    def following() -> Any:
        tasks = caller.call("ListTasks", {"filter": {"completed": False}}).get("tasks", [])
        return [one for one in tasks if one["title"] == "water the plants" and one["id"] != created["id"]]

    [successor] = eventually(following, "the next occurrence", within=120)
    # Summer time ends in between: the image knows the zones.
    assert created["dueDate"] == "2030-10-26T07:00:00Z" and successor["dueDate"] == "2030-10-27T08:00:00Z"
    caller.call("DeleteTask", {"id": successor["id"]})


def helm_test(rendered: Rendered, url: str, token: str) -> None:
    """The command of the pod of `helm test`, with this machine's sh and curl."""
    [container] = rendered.one("Pod", f"{RELEASE}-test")["spec"]["containers"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "token"
        file.write_text(token, encoding="ascii")
        for path in (Path(folder), file):
            os.chown(path, USER, USER)
        given = {one["name"]: one["value"] for one in container["env"]}
        assert given["TODO_URL"] == f"http://{RELEASE}.{NAMESPACE}.svc:80"
        env = {**given, "TODO_URL": url, "TODO_TOKEN_FILE": str(file), "TMPDIR": folder, "PATH": "/usr/bin:/bin"}
        done = subprocess.run(["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *container["command"],
                               *container["args"]], env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "passed", done.stdout + done.stderr


def assert_confined(container: Container) -> None:
    """What the kernel says of the program in the container."""
    assert container.pid
    program = max(process.pid for process in process_table.tree(process_table.identify(container.pid)))
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{program}/status").read_text("ascii").splitlines() if ":\t" in line)
    assert status["Uid"].split() == status["Gid"].split() == [str(USER)] * 4
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0, name
    assert status["NoNewPrivs"] == "1" and status["NSpid"].split()[-1] == "1"
    [root] = [line for line in Path(f"/proc/{program}/mountinfo").read_text("utf-8").splitlines() if line.split()[4] == "/"]
    assert "ro" in root.split()[5].split(",")


@pytest.mark.parametrize("values", ["local", "all-in-one", "roles", "redpanda-cloud"])
def test_the_main_story(cluster: Cluster, values: str) -> None:
    rendered = cluster.render(values, ['kafka.caEntry="kafka-ca"'] if "cloud" in values else ())
    token = cluster.token()
    with cluster.pods(rendered) as pods:
        for pod in pods.values():
            pod.wait_ready()
            assert_confined(pod.service)
            assert_confined(pod.sidecar)
            for name, port in NOBODY_ELSES.items():
                assert pod.reachable(port, "127.0.0.1") or name == "api", f"{name} is not there"
                assert not pod.reachable(port), f"{name} is open to other pods"
        public = pods.get(f"{RELEASE}-api") or pods[RELEASE]
        url = f"http://127.0.0.1:{public.network.publish(8080)}"
        main_story(Caller(url, token))
        helm_test(rendered, url, token)
    for pod in pods.values():
        assert pod.service.exit_code == 0, pod.service.last_words()


# What is wrong, by which door, with which entries of the secret and which values; what daprd's log says then.
REFUSALS = {
    "wrong password": ("sasl_ssl", {"kafka_password": "guessed"}, []),
    "PLAIN": ("sasl_ssl", {}, ['kafka.saslMechanism="PLAIN"']),
    "another authority": ("sasl_ssl", {"kafka_ca": ""}, []),
    "expired certificate": ("expired", {}, []),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_what_redpanda_cloud_refuses(cluster: Cluster, what: str) -> None:
    """docs/install.md has the lines of the log, with what to do."""
    document = (REPOSITORY / "docs" / "install.md").read_text("utf-8")
    rows = {cause: words for words, cause in re.findall(r"^\| `([^`]+)`[^|]*\| ([^|]+) \|", document, re.M)}
    [line] = [words for cause, words in rows.items() if cause.startswith(what)]
    door, secrets, sets = REFUSALS[what]
    if "kafka_ca" in secrets:
        secrets = {"kafka_ca": trustme.CA().cert_pem.bytes().decode()}
    rendered = cluster.render("redpanda-cloud", ['kafka.caEntry="kafka-ca"', *sets])
    with cluster.pods(rendered, door, **secrets) as pods:
        sidecar = pods[RELEASE].sidecar
        try:
            eventually(lambda: line in sidecar.output(), line, within=120)
        except AssertionError:
            raise AssertionError(f"daprd does not say '{line}':\n{sidecar.last_words()}") from None
        assert sidecar.failing("readinessProbe")

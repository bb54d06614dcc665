"""The chart on a real API server, in a namespace with the Pod Security level "restricted"."""

from __future__ import annotations

import copy
import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from charts import CHART, RELEASE, VALUES, HelmError, Rendered, files_of, helm
from kube_api import ApiError, KubeApi

from tools.stack.installed import where

_numbers = itertools.count()
EVERYTHING = ["serviceMonitor.enabled=true", "prometheusRule.enabled=true", "dashboard.enabled=true",
              'web.ingress={"enabled": true, "host": "todo.example.org"}',
              'web.httpRoute={"enabled": true, "parentRefs": [{"name": "gateway"}]}',
              'auth.issuers=[{"issuer": "a", "jwks": "{}"}]']


@pytest.fixture
def namespace(api: KubeApi) -> str:
    name = f"todo-app-{next(_numbers)}"
    api.make_namespace(name)
    return name


def make_account(api: KubeApi, namespace: str) -> None:
    api.call("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": RELEASE}})


class Release:
    def __init__(self, api: KubeApi, version: int, namespace: str, home: Path) -> None:
        self._api, self._version, self._namespace, self._home = api, version, namespace, home

    def run(self, command: str, *arguments: str | Path) -> str:
        return helm(self._version, command, *arguments, f"--namespace={self._namespace}",
                    kubeconfig=self._api.kubeconfig, home=self._home)

    def apply(self, command: str, values: str, *sets: str) -> str:
        # No controller runs a Job here, so the hooks would be waited for in vain.
        return self.run(command, RELEASE, CHART, "--no-hooks", *files_of(values), *(f"--set-json={one}" for one in sets))

    def workload(self, name: str = RELEASE) -> Any:
        return self._api.call("GET", f"/apis/apps/v1/namespaces/{self._namespace}/deployments/{name}")

    def secret(self, name: str) -> str:
        found = self._api.call("GET", f"/api/v1/namespaces/{self._namespace}/secrets/{name}")
        return str(found["data"]["token"])


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("values", VALUES)
def test_install_upgrade_rollback_uninstall(api: KubeApi, namespace: str, version: int, values: str, tmp_path: Path) -> None:
    release = Release(api, version, namespace, tmp_path)
    name = f"{RELEASE}-events" if "roles" in values else RELEASE
    notes = release.apply("install", values)
    assert "todo-service is installed" in notes
    first = release.workload(name)
    token = release.secret(f"{RELEASE}-app-token")

    release.apply("upgrade", values, *EVERYTHING, 'settings={"log-level": "debug"}')
    second = release.workload(name)
    assert "--log-level=debug" in second["spec"]["template"]["spec"]["containers"][0]["args"]
    assert release.secret(f"{RELEASE}-app-token") == token, "an upgrade keeps the passwords"

    release.run("rollback", RELEASE, "1", "--no-hooks")
    assert release.workload(name)["spec"] == first["spec"]
    assert release.secret(f"{RELEASE}-app-token") == token

    release.run("uninstall", RELEASE, "--no-hooks")
    with pytest.raises(ApiError, match="not found"):
        release.workload(name)


@pytest.mark.parametrize("values", VALUES)
def test_the_pods_are_admitted_with_their_sidecars(api: KubeApi, namespace: str, values: str) -> None:
    """As the injector makes them of a workload's pod; and the pods of hooks and of the test."""
    rendered = Rendered(values)
    make_account(api, namespace)
    pods = [*rendered.pods.values(), *rendered.all("Pod").values(),
            *({"metadata": {"name": job["metadata"]["name"]}, **job["spec"]["template"]} for job in rendered.all("Job").values())]
    assert pods
    for pod in pods:
        pod["metadata"]["namespace"] = namespace
        pod["metadata"].setdefault("name", "job")
        pod.update(apiVersion="v1", kind="Pod")
        made = api.call("POST", f"/api/v1/namespaces/{namespace}/pods?fieldValidation=Strict", pod)
        assert made["spec"]["containers"]


def test_a_pod_that_is_not_locked_down_is_refused(api: KubeApi, namespace: str) -> None:
    """That the test above can fail."""
    [pod] = copy.deepcopy(list(Rendered().pods.values()))
    pod["metadata"]["namespace"] = namespace
    make_account(api, namespace)
    del pod["spec"]["containers"][0]["securityContext"]["capabilities"]
    with pytest.raises(ApiError, match="restricted"):
        api.call("POST", f"/api/v1/namespaces/{namespace}/pods", pod)


@pytest.mark.parametrize("values", VALUES)
def test_every_manifest_is_strictly_valid(api: KubeApi, namespace: str, values: str) -> None:
    """No field that the server would drop, those of Dapr, KEDA, Prometheus and the Gateway API included."""
    rendered = Rendered(values, sets=[*EVERYTHING, "events.keda={\"enabled\": true}" if "roles" in values else
                                      "workload.keda.enabled=true"])
    plurals = {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses"}
    for document in rendered.documents:
        kind, version = document["kind"], document["apiVersion"]
        root = "/api/v1" if version == "v1" else f"/apis/{version}"
        document["metadata"]["namespace"] = namespace
        plural = plurals.get(kind, f"{kind.lower()}s")
        path = f"{root}/namespaces/{namespace}/{plural}?dryRun=All&fieldValidation=Strict"
        api.call("POST", path, document)


def test_a_wrong_field_is_found(api: KubeApi, namespace: str) -> None:
    document = Rendered().one("Component", "statestore")
    document["metadata"]["namespace"] = namespace
    document["spec"]["metadatas"] = []
    with pytest.raises(ApiError, match="metadatas"):
        api.call("POST", f"/apis/dapr.io/v1alpha1/namespaces/{namespace}/components?dryRun=All&fieldValidation=Strict", document)


def test_helm_unittest() -> None:
    done = subprocess.run([where("helm-unittest"), CHART], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_sidecar_may_read_one_secret(api: KubeApi, namespace: str, tmp_path: Path) -> None:
    Release(api, 3, namespace, tmp_path).apply("install", "local")
    user = f"system:serviceaccount:{namespace}:{RELEASE}"

    def allowed(verb: str, resource: str, name: str = "") -> bool:
        review = {"spec": {"user": user, "resourceAttributes": {
            "namespace": namespace, "verb": verb, "resource": resource, "name": name}}}
        answer = api.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
        return bool(answer["status"]["allowed"])

    assert allowed("get", "secrets", "todo-secrets")
    assert not allowed("get", "secrets", "other")
    assert not allowed("list", "secrets")
    assert not allowed("get", "configmaps", "any")


def test_the_keys_of_the_cluster_are_public(api: KubeApi) -> None:
    """The issuer of `helm test`: docs/install.md gives its keys to the service."""
    keys = api.call("GET", "/openid/v1/jwks")
    assert json.loads(json.dumps(keys))["keys"]


def test_helm_says_what_is_wrong(api: KubeApi, namespace: str, tmp_path: Path) -> None:
    release = Release(api, 4, namespace, tmp_path)
    with pytest.raises(HelmError, match="additional properties 'brokerz' not allowed"):
        release.apply("install", "local", 'kafka.brokerz="x:1"')

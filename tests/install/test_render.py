"""What the chart makes of its values: no server is needed for it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from charts import CHART, NAMESPACE, VALUES, HelmError, Manifest, Rendered, container, files_of, flags, helm

from tools.stack.dapr import API_APP_ID, APP_ID, GRACEFUL_SHUTDOWN_SECONDS
from tools.stack.installed import REPOSITORY, where

WORKLOADS = ("Deployment", "StatefulSet")


@pytest.fixture(scope="module", params=VALUES)
def rendered(request: pytest.FixtureRequest) -> Rendered:
    return Rendered(request.param)


@pytest.mark.parametrize("version", [3, 4])
def test_lint_has_nothing_to_say(version: int) -> None:
    for values in VALUES:
        helm(version, "lint", "--strict", CHART, "--kube-version=1.34.2", *files_of(values))


def test_both_versions_of_helm_print_the_same() -> None:
    def documents(version: int) -> list[Manifest]:
        printed = Rendered("cloud-roles", version=version).documents
        kept = [one for one in printed if not (one["kind"] == "Secret" and "token" in one.get("data", {}))]
        return sorted(kept, key=lambda one: (one["kind"], one["metadata"]["name"]))

    assert documents(3) == documents(4)


@pytest.mark.parametrize(("sets", "says"), [
    (["kafka.broker=\"redpanda:9092\""], "additional properties 'broker' not allowed"),
    (["replicas=3"], "additional properties 'replicas' not allowed"),
    (["kafka.saslMechanism=\"SCRAM-SHA-256\""], "saslMechanism"),
    (["kafka.brokers=\"redpanda\""], "brokers"),
    (["kafka.topics.partitions=1"], "partitions"),
    (["image.digest=\"latest\""], "digest"),
    (["tracing.otlpEndpoint=\"collector:4318\""], "otlpEndpoint"),
    (["all.enabled=false"], "either all.enabled or both"),
    (["api.enabled=true"], "go together"),
    (["api.enabled=true", "events.enabled=true"], "either all.enabled or both"),
    (["grpc.expose=true"], "set tls.secretName"),
    (["auth.issuer=\"a\"", "auth.issuers=[{\"issuer\": \"b\"}]"], "exclude each other"),
    (["auth.oidc.issuer=\"https://id.example\""], "auth.oidc.clientId is missing"),
    (["auth.oidc.origins=[\"https://id.example/token\"]"], "origins"),
    (["settings={\"dev-identity\": true}"], "the chart sets this itself"),
    (["all={\"enabled\": true, \"settings\": {\"role\": \"api\"}}"], "the chart sets this itself"),
    (["workload.autoscaling.enabled=true", "workload.keda.enabled=true"], "exclude each other"),
    (["web.ingress.enabled=true"], "web.ingress.host is missing"),
    (["web.httpRoute.enabled=true"], "name the gateway"),
])
def test_values_that_cannot_be_are_refused(sets: list[str], says: str) -> None:
    with pytest.raises(HelmError, match=re.escape(says)):
        Rendered(sets=sets)


def test_the_sidecar_is_told_what_the_service_needs(rendered: Rendered) -> None:
    assert rendered.pods
    for name, pod in rendered.pods.items():
        role = name.removeprefix("demo").removeprefix("-") or "all"
        told = flags(container(pod, "daprd")["args"])
        expected = {
            "app-id": API_APP_ID if role == "api" else APP_ID, "app-protocol": "grpc", "app-port": "50051",
            "app-channel-address": "127.0.0.1", "dapr-listen-addresses": "127.0.0.1", "enable-app-health-check": "true",
            "app-health-probe-interval": "2", "config": "demo", "disable-builtin-k8s-secret-store": "true",
            "dapr-graceful-shutdown-seconds": str(GRACEFUL_SHUTDOWN_SECONDS), "dapr-block-shutdown-duration": "30s",
            "log-as-json": "true",
        }
        assert {flag: told.get(flag) for flag in expected} == expected
        assert "app-max-concurrency" not in told
        mounts = {one["mountPath"]: one["name"] for one in container(pod, "daprd")["volumeMounts"]}
        assert mounts["/var/run/secrets/kubernetes.io/serviceaccount"] == "kube-api"


def test_service_and_sidecar_have_the_same_passwords(rendered: Rendered) -> None:
    for pod in rendered.pods.values():
        ours, theirs = ({one["name"]: one.get("valueFrom") for one in container(pod, name)["env"]}
                        for name in ("todo-service", "daprd"))
        for name in ("APP_API_TOKEN", "DAPR_API_TOKEN"):
            assert ours[name] == theirs[name] is not None
        assert ours["APP_API_TOKEN"] != ours["DAPR_API_TOKEN"]


def test_stopping_has_time_enough(rendered: Rendered) -> None:
    for pod in rendered.pods.values():
        own = flags(container(pod, "todo-service")["args"])
        told = flags(container(pod, "daprd")["args"])
        drain = int(own["drain-timeout"].rstrip("s"))
        delay = container(pod, "todo-service")["lifecycle"]["preStop"]["sleep"]["seconds"]
        block = int(told["dapr-block-shutdown-duration"].rstrip("s"))
        graceful = int(told["dapr-graceful-shutdown-seconds"])
        assert block > delay + 2 * drain and graceful > drain
        assert pod["spec"]["terminationGracePeriodSeconds"] > block + graceful


def test_the_service_alone_has_no_token_of_the_cluster(rendered: Rendered) -> None:
    for pod in rendered.pods.values():
        assert pod["spec"]["automountServiceAccountToken"] is False
        mounts = container(pod, "todo-service").get("volumeMounts", [])
        assert not [one for one in mounts if one["name"] in ("kube-api", "dapr-identity-token")]


def test_every_flag_is_a_setting(rendered: Rendered) -> None:
    known = set(re.findall(r"^\| `--([a-z0-9-]+)`", (REPOSITORY / "docs" / "configuration.md").read_text("utf-8"), re.M))
    for pod in rendered.pods.values():
        assert set(flags(container(pod, "todo-service")["args"])) - known == set()


def test_components_are_those_of_the_other_runners() -> None:
    """With the values of Redpanda in the cluster they are the files that tools/stack uses, but for the place."""
    rendered = Rendered("local")
    for file in ("pubsub", "broadcast", "statestore"):
        text = (CHART / "files" / "components" / f"{file}.yaml").read_text("utf-8")
        source = json.loads(subprocess.run([where("injector")], input=text.replace("${kafka_brokers}", "redpanda:9092").encode(),
                                           capture_output=True, check=True).stdout)["documents"][0]
        made = rendered.one("Component", source["metadata"]["name"])
        assert {**made, "metadata": None} == {**source, "metadata": None}
        link = REPOSITORY / "deploy" / "components" / ("common" if file == "statestore" else "kafka") / f"{file}.yaml"
        assert link.resolve() == CHART / "files" / "components" / f"{file}.yaml"
    assert rendered.one("Component", "kubernetes-secrets")["spec"]["type"] == "secretstores.kubernetes"


def test_redpanda_cloud_gets_a_password_over_tls() -> None:
    rendered = Rendered("redpanda-cloud", sets=['kafka.caEntry="kafka-ca"'])
    for name in ("kafka-pubsub", "kafka-broadcast"):
        component = rendered.one("Component", name)
        metadata = {one["name"]: one.get("value", one.get("secretKeyRef")) for one in component["spec"]["metadata"]}
        assert metadata["authType"] == "password"
        assert metadata["saslMechanism"] == "SHA-256"  # SCRAM-SHA-256 would silently be PLAIN
        assert metadata["saslUsername"] == {"name": "todo-secrets", "key": "kafka-username"}
        assert metadata["saslPassword"] == {"name": "todo-secrets", "key": "kafka-password"}
        assert metadata["caCert"] == {"name": "todo-secrets", "key": "kafka-ca"}
        assert component["auth"] == {"secretStore": "kubernetes-secrets"}


def test_helm_test_has_its_pods(rendered: Rendered) -> None:
    """A pattern in .helmignore can leave them out without a word."""
    hooked = {name for name, pod in rendered.all("Pod").items() if pod["metadata"]["annotations"]["helm.sh/hook"] == "test"}
    assert hooked == {"demo-test", "demo-test-topics"}


def test_helm_test_has_a_pod(rendered: Rendered) -> None:
    pod = rendered.one("Pod", "demo-test")
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    [container] = pod["spec"]["containers"]
    assert container["args"] == [(CHART / "files" / "test.sh").read_text("utf-8")]


def test_the_pod_of_helm_test_may_call_where_few_may() -> None:
    rendered = Rendered(sets=['networkPolicy.webFrom=[{"podSelector": {"matchLabels": {"app": "gateway"}}}]'])
    sources = rendered.one("NetworkPolicy")["spec"]["ingress"][0]["from"]
    labels = rendered.one("Pod", "demo-test")["metadata"]["labels"]
    assert {"podSelector": {"matchLabels": labels}} in sources


def test_roles_are_apart() -> None:
    rendered = Rendered("roles")
    assert set(rendered.all("Deployment")) == {"demo-api", "demo-events"}
    assert rendered.one("Service")["spec"]["selector"]["app.kubernetes.io/component"] == "api"
    assert "replicas" not in rendered.one("Deployment", "demo-api")["spec"], "the autoscaler decides"
    assert rendered.one("Deployment", "demo-events")["spec"]["replicas"] == 3
    assert set(rendered.all("HorizontalPodAutoscaler")) == {"demo-api"}


def test_keda_scales_on_the_lag() -> None:
    rendered = Rendered("cloud-roles", sets=["events.keda={\"enabled\": true, \"maxReplicas\": 6}"])
    assert "replicas" not in rendered.one("Deployment", "demo-events")["spec"]
    scaled = rendered.one("ScaledObject", "demo-events")["spec"]
    assert scaled["maxReplicaCount"] == 6
    [trigger] = scaled["triggers"]
    assert trigger["metadata"]["sasl"] == "scram_sha256"
    assert trigger["authenticationRef"]["name"] in rendered.all("TriggerAuthentication")


def test_only_the_web_port_has_a_service() -> None:
    ports = Rendered().one("Service")["spec"]["ports"]
    assert [one["name"] for one in ports] == ["web"]
    exposed = Rendered(sets=["grpc={\"expose\": true}", "tls.secretName=\"certificate\""])
    assert [one["name"] for one in exposed.one("Service")["spec"]["ports"]] == ["web", "grpc"]
    own = flags(container(exposed.pods["demo"], "todo-service")["args"])
    assert own["api-address"] == "0.0.0.0" and own["tls-cert"] == "/etc/todo-service/tls/tls.crt"


def test_keys_of_issuers_are_files() -> None:
    rendered = Rendered(sets=['auth.issuers=[{"issuer": "a", "jwks": "{\\"keys\\": []}"}, {"issuer": "https://b.example"}]'])
    data = rendered.one("ConfigMap", "demo-issuers")["data"]
    assert json.loads(data["issuers.json"]) == {"issuers": [
        {"issuer": "a", "jwks_file": "/etc/todo-service/issuers/jwks-0.json"}, {"issuer": "https://b.example"}]}
    assert json.loads(data["jwks-0.json"]) == {"keys": []}
    before = Rendered().pods["demo"]["metadata"]["annotations"]["checksum/issuers"]
    assert rendered.pods["demo"]["metadata"]["annotations"]["checksum/issuers"] != before


def test_the_configuration_allows_what_is_needed() -> None:
    configuration = Rendered(sets=['dapr.callers=["shop"]', 'tracing.otlpEndpoint="https://collector:4318"']).one("Configuration")
    spec = configuration["spec"]
    assert [one["appId"] for one in spec["accessControl"]["policies"]] == ["todo-client", "shop"]
    assert {one["namespace"] for one in spec["accessControl"]["policies"]} == {NAMESPACE}
    assert spec["secrets"]["scopes"][0]["defaultAccess"] == "deny"
    assert spec["tracing"]["otel"] == {"endpointAddress": "collector:4318", "isSecure": True, "protocol": "http"}


def test_kube_score_finds_nothing_critical(rendered: Rendered, tmp_path: Path) -> None:
    ignored = [
        # A registry that is away must not keep a pod from coming back; tags of releases never move.
        "container-image-pull-policy",
    ]
    done = subprocess.run([where("kube-score"), "score", "--output-format=json", "--kubernetes-version=v1.34",
                           *(f"--ignore-test={one}" for one in ignored), "-"],
                          input=rendered.text, capture_output=True, text=True, check=False)
    findings = [f"{scored['object_name']}: {check['check']['name']}: {[one['summary'] for one in check['comments'] or []]}"
                for scored in json.loads(done.stdout) for check in scored["checks"] or []
                if not check["skipped"] and check["grade"] == 1]
    assert findings == []


def test_the_readme_tells_every_value() -> None:
    done = subprocess.run([REPOSITORY / "tools" / "install" / "values_table.py", "--check"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_schema_knows_every_value() -> None:
    """Each object of the schema refuses names that it does not list, except where names are free."""
    schema: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text("utf-8"))

    def look(node: Any, path: str) -> None:
        if isinstance(node, dict):
            if "properties" in node:
                assert node.get("additionalProperties") is False, path
            for name, child in node.items():
                look(child, f"{path}/{name}")

    look(schema, "")

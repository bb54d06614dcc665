"""A real Kubernetes API server with etcd, on loopback: no nodes, no controllers, so nothing that it keeps is run."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from tools.stack.installed import where

TOKEN = "admin-of-a-test"  # the server listens on loopback, and lives as long as the tests


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class ApiError(Exception):
    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


class KubeApi:
    """`with KubeApi(folder) as api`: ready, with the definitions of Dapr, KEDA, Prometheus and the Gateway API."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kubeconfig = folder / "kubeconfig"
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> KubeApi:
        try:
            self._start()
            self._wait("/readyz")
            self._trust()
            for file in sorted(where("crds").glob("*.yaml")):
                self._define(file)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes):
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()

    def call(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        """The answer as JSON. ApiError: the server refused."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data=data, method=method, headers={
            "authorization": f"Bearer {TOKEN}", "content-type": content_type, "accept": "application/json, */*"})
        try:
            with urllib.request.urlopen(request, timeout=30, context=self._tls) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            raise ApiError(error.code, error.read().decode(errors="replace")) from None
        with suppress(ValueError):
            return json.loads(text)
        return text.decode()

    def make_namespace(self, name: str) -> None:
        levels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
        self.call("POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": levels}})

    def _start(self) -> None:
        client, peer, port = free_ports(3)
        self.url = f"https://127.0.0.1:{port}"
        self._tls = ssl._create_unverified_context()
        certificates = self.folder / "certificates"
        key = self.folder / "service-accounts.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        tokens = self.folder / "tokens.csv"
        tokens.write_text(f"{TOKEN},admin,1,system:masters\n", encoding="utf-8")
        self._run("etcd", ["etcd", f"--data-dir={self.folder / 'etcd'}", "--unsafe-no-fsync",
                           f"--listen-client-urls=http://127.0.0.1:{client}",
                           f"--advertise-client-urls=http://127.0.0.1:{client}",
                           f"--listen-peer-urls=http://127.0.0.1:{peer}",
                           f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
                           f"--initial-cluster=default=http://127.0.0.1:{peer}"])
        self._run("kube-apiserver", [
            where("kube-apiserver"), f"--etcd-servers=http://127.0.0.1:{client}", f"--secure-port={port}",
            "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--cert-dir={certificates}",
            "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}", "--service-cluster-ip-range=10.0.0.0/24",
            f"--token-auth-file={tokens}", "--authorization-mode=RBAC",
            # Its work needs the controller that makes a default account in each namespace.
            "--disable-admission-plugins=ServiceAccount"])

    def _run(self, name: str, command: list[Any]) -> None:
        with open(self.folder / f"{name}.log", "wb") as log:
            self._processes.append(subprocess.Popen([str(part) for part in command], stdout=log, stderr=log))

    def _wait(self, path: str, within: float = 120) -> None:
        deadline = time.monotonic() + within
        while True:
            try:
                self.call("GET", path)
                return
            except (OSError, ApiError) as error:
                dead = [process.args for process in self._processes if process.poll() is not None]
                if dead or time.monotonic() > deadline:
                    raise AssertionError(f"{path}: {error}; ended: {dead}; logs are in {self.folder}") from error
            time.sleep(0.1)

    def _trust(self) -> None:
        certificate = self.folder / "certificates" / "apiserver.crt"
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": self.url, "certificate-authority": str(certificate)}}],
            "users": [{"name": "test", "user": {"token": TOKEN}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        }
        self.kubeconfig.write_text(json.dumps(config), encoding="utf-8")

    def _define(self, file: Path) -> None:
        text = file.read_bytes()
        kind = next((line for line in text.decode().splitlines() if line.startswith("kind:")), "")
        if kind != "kind: CustomResourceDefinition":
            return
        name = subprocess.run([where("injector")], input=text, capture_output=True, check=True).stdout
        for document in json.loads(name)["documents"]:
            path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{document['metadata']['name']}"
            self.call("PATCH", f"{path}?fieldManager=test&force=true", document, "application/apply-patch+yaml")
            self._wait_established(path)

    def _wait_established(self, path: str) -> None:
        deadline = time.monotonic() + 60
        while True:
            conditions = self.call("GET", path).get("status", {}).get("conditions") or []
            if any(one["type"] == "Established" and one["status"] == "True" for one in conditions):
                return
            assert time.monotonic() < deadline, f"{path} is not established: {conditions}"
            time.sleep(0.05)

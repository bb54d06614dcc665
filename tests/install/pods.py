"""Runs the pods that the chart and Dapr's injector lead to, container by container, as a node would.

The root of the service is that of its image. What a cluster has and this machine has not is replaced, and only that:
Dapr's control plane (daprd reads the rendered components and configuration from files, without mTLS), Kubernetes' secret
store (a file with the same secrets), and DNS (/etc/hosts).
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from charts import Manifest, Rendered, flags
from image import Image
from network import POD_ADDRESS, Network

from tools.stack.installed import where
from tools.stack.node import Command, Node, wait_until
from tools.stack.place import Place

SCHEDULER = "dapr-scheduler-server-a.dapr-system.svc.cluster.local"
Secrets = Mapping[str, Mapping[str, str]]


class Container(Node):
    """One container of a pod. It is ready when the probes say so, which a node asks from outside of the pod."""

    stop_within = 60.0
    ready_within = 120.0

    def __init__(self, place: Place, pod: Pod, manifest: Manifest, argv: Sequence[str], root: Path,
                 mounts: Mapping[Path, str], image_env: Sequence[str]) -> None:
        super().__init__(f"{pod.name}-{manifest['name']}", place)
        self.manifest = manifest
        self._pod = pod
        self._argv = list(argv)
        self._root = root
        self._mounts = dict(mounts)
        self._env = {**dict(one.split("=", 1) for one in image_env), **pod.environment(manifest)}

    def prepare(self) -> None:
        for folder in ("proc", "dev"):
            (self._root / folder).mkdir(exist_ok=True)
        for device in ("null", "zero", "random", "urandom"):
            (self._root / "dev" / device).touch()
        for source, target in self._mounts.items():
            inside = self._root / target.lstrip("/")
            inside.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                inside.mkdir(exist_ok=True)
            else:
                inside.touch()

    def command(self) -> Command:
        context = {**self._pod.manifest["spec"]["securityContext"], **self.manifest["securityContext"]}
        # What enter.py does without being asked.
        assert context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"] and context["runAsNonRoot"]
        assert context["capabilities"] == {"drop": ["ALL"]}
        spec = {
            "network": self._pod.network.path, "hostname": self._pod.name, "root": str(self._root),
            "mounts": {str(source): target for source, target in self._mounts.items()},
            "uid": context["runAsUser"], "gid": context["runAsGroup"], "argv": self._argv, "env": self._env,
        }
        file = self.place.directory / f"{self.name}.json"
        file.write_text(json.dumps(spec), encoding="utf-8")
        return Command([sys.executable, str(Path(__file__).with_name("enter.py")), str(file)])

    def not_ready(self) -> str | None:
        return self.failing("startupProbe") or self.failing("readinessProbe")

    def failing(self, name: str) -> str | None:
        """None when the probe succeeds, or when there is none."""
        probe = self.manifest.get(name)
        if not probe:
            return None
        kind = probe.get("httpGet") or probe["tcpSocket"]
        named = {one["name"]: one["containerPort"] for one in self.manifest["ports"]}
        port = named.get(kind["port"], kind["port"])
        try:
            with self._pod.network.connect(port, timeout=probe.get("timeoutSeconds", 1)) as line:
                status = http_get(line, kind["path"]) if "httpGet" in probe else 200
        except (OSError, http.client.HTTPException) as error:
            return f"{self.name}: {name}: {error}"
        return None if 200 <= status < 400 else f"{self.name}: {name}: HTTP status {status}"


class Pod:
    """`secrets` are the entries of each secret that was there before the chart."""

    def __init__(self, folder: Path, place: Place, rendered: Rendered, workload: str, image: Image, secrets: Secrets,
                 hosts: Mapping[str, str]) -> None:
        self.manifest = rendered.pods[workload]
        self.name: str = self.manifest["metadata"]["name"]
        self._rendered = rendered
        self._folder = folder / self.name
        self._secrets = {**secrets, **{name: _entries(one) for name, one in rendered.all("Secret").items()}}
        self.network = Network()
        self._folder.mkdir()
        self._hosts = self._folder / "hosts"
        self._hosts.write_text("".join(f"{address} {name}\n" for name, address in
                                       {"localhost": "127.0.0.1", self.name: POD_ADDRESS, **hosts}.items()), encoding="utf-8")
        service, sidecar = (self._container(name) for name in ("todo-service", "daprd"))
        self.service = Container(place, self, service, [*image.config["Entrypoint"], *service["args"]],
                                 self._root_of(image), self._volumes(service), image.config["Env"])
        self.sidecar = Container(place, self, sidecar, self._sidecar_argv(sidecar), self._sidecar_root(image),
                                 {**self._volumes(sidecar), self._write_dapr(): "/dapr"}, ["PATH=/"])

    def __enter__(self) -> Pod:
        self.service.launch()
        self.sidecar.launch()
        return self

    def __exit__(self, *_: object) -> None:
        # As daprd does with --dapr-block-shutdown-duration: it waits for the service.
        self.service.stop()
        self.sidecar.stop()
        self.network.close()

    def wait_ready(self) -> None:
        self.service.wait_ready()
        self.sidecar.wait_ready()

        def failing() -> str | None:
            return self.service.failing("livenessProbe") or self.sidecar.failing("livenessProbe")

        wait_until(failing, "liveness", 30)

    def reachable(self, port: int, host: str = POD_ADDRESS) -> bool:
        with suppress(OSError):
            self.network.connect(port, host).close()
            return True
        return False

    def environment(self, container: Manifest) -> dict[str, str]:
        """As a node puts it together."""
        found = {}
        for one in container.get("env", []):
            source = one.get("valueFrom", {})
            if "secretKeyRef" in source:
                found[one["name"]] = self._secrets[source["secretKeyRef"]["name"]][source["secretKeyRef"]["key"]]
            elif "fieldRef" in source:
                assert source["fieldRef"]["fieldPath"] == "metadata.name"
                found[one["name"]] = self.name
            else:
                found[one["name"]] = one.get("value", "")
        return found

    def _container(self, name: str) -> Manifest:
        [found] = [one for one in self.manifest["spec"]["containers"] if one["name"] == name]
        return dict(found)

    def _root_of(self, image: Image) -> Path:
        root = self._folder / "service"
        # The same files under other names: nobody can write to them.
        shutil.copytree(image.root, root, symlinks=True, copy_function=_link)
        return root

    def _sidecar_root(self, image: Image) -> Path:
        root = self._folder / "sidecar"
        shutil.copytree(image.root / "etc", root / "etc", symlinks=True, copy_function=_link)
        shutil.copyfile(where("daprd"), root / "daprd")
        (root / "daprd").chmod(0o755)
        return root

    def _sidecar_argv(self, container: Manifest) -> list[str]:
        args = list(container["args"])
        told = flags(args)
        for name in ("control-plane-address", "sentry-address"):
            place = args.index(f"--{name}")
            del args[place:place + 2]
        args.remove("--enable-mtls")
        args[args.index("--mode") + 1] = "standalone"
        args[args.index("--config") + 1] = "/dapr/configuration.json"
        assert told["mode"] == "kubernetes" and self._rendered.one("Configuration", told["config"])
        return [*args, "--resources-path", "/dapr/components"]

    def _write_dapr(self) -> Path:
        """What daprd would get from Dapr's operator."""
        folder = self._folder / "dapr"
        (folder / "components").mkdir(parents=True)
        for name, component in self._rendered.all("Component").items():
            if component["spec"]["type"] == "secretstores.kubernetes":
                metadata = [{"name": "secretsFile", "value": "/dapr/secrets.json"}, {"name": "multiValued", "value": "true"}]
                component = {**component, "spec": {"type": "secretstores.local.file", "version": "v1", "metadata": metadata}}
            (folder / "components" / f"{name}.yaml").write_text(json.dumps(component), encoding="utf-8")
        [configuration] = self._rendered.all("Configuration").values()
        (folder / "configuration.json").write_text(json.dumps(configuration), encoding="utf-8")
        (folder / "secrets.json").write_text(json.dumps(self._secrets), encoding="utf-8")
        return folder

    def _volumes(self, container: Manifest) -> dict[Path, str]:
        mounts = {self._hosts: "/etc/hosts"}
        volumes = {one["name"]: one for one in self.manifest["spec"]["volumes"]}
        for mount in container.get("volumeMounts", []):
            volume = volumes[mount["name"]]
            folder = self._folder / "volumes" / mount["name"]
            folder.mkdir(parents=True, exist_ok=True)
            if "configMap" in volume:
                content = self._rendered.one("ConfigMap", volume["configMap"]["name"])["data"]
            elif "secret" in volume:
                content = dict(self._secrets[volume["secret"]["secretName"]])
            else:
                content = {"token": "of a cluster that is not here"}
            for name, text in content.items():
                (folder / name).write_text(text, encoding="utf-8")
            mounts[folder] = mount["mountPath"]
        return mounts


def http_get(line: socket.socket, path: str) -> int:
    connection = http.client.HTTPConnection("pod")
    connection.sock = line
    connection.request("GET", path)
    return connection.getresponse().status


def _entries(secret: Mapping[str, Any]) -> dict[str, str]:
    encoded = {name: base64.b64decode(value).decode() for name, value in secret.get("data", {}).items()}
    return {**encoded, **secret.get("stringData", {})}


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)



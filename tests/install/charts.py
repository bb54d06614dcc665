"""The chart as Helm prints it, and as Dapr's injector completes it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.stack.installed import REPOSITORY, where

CHART = REPOSITORY / "charts" / "todo-service"
VALUES = {"defaults": (), "local": ("local",), "redpanda-cloud": ("redpanda-cloud",), "all-in-one": ("all-in-one",),
          "roles": ("local", "roles"), "cloud-roles": ("redpanda-cloud", "roles")}
RELEASE = "demo"
NAMESPACE = "todo-app"

Manifest = dict[str, Any]


class HelmError(Exception):
    pass


def files_of(values: str) -> list[str]:
    return [f"--values={CHART / f'values-{name}.yaml'}" for name in VALUES[values]]


def helm(version: int, *arguments: str | Path, kubeconfig: Path | None = None, home: Path | None = None) -> str:
    """What Helm prints. HelmError with what it says when it fails."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("HELM_", "KUBE"))}
    if home:
        env["HOME"] = str(home)
    if kubeconfig:
        env["KUBECONFIG"] = str(kubeconfig)
    done = subprocess.run([where(f"helm{version}"), *arguments], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise HelmError(done.stderr.strip())
    return done.stdout


class Rendered:
    """The documents of the chart with some values, and the pods with their sidecars."""

    def __init__(self, values: str = "defaults", *, sets: Sequence[str] = (), version: int = 3) -> None:
        self.text = helm(version, "template", RELEASE, CHART, f"--namespace={NAMESPACE}", "--kube-version=1.34.2",
                         *files_of(values), *(f"--set-json={one}" for one in sets))
        done = subprocess.run([where("injector")], input=self.text.encode(), capture_output=True, check=True)
        content = json.loads(done.stdout)
        self.documents: list[Manifest] = content["documents"]
        self.pods: dict[str, Manifest] = content["pods"]

    def all(self, kind: str) -> dict[str, Manifest]:
        return {one["metadata"]["name"]: one for one in self.documents if one["kind"] == kind}

    def one(self, kind: str, name: str = RELEASE) -> Manifest:
        return self.all(kind)[name]


def container(pod: Mapping[str, Any], name: str) -> Manifest:
    [found] = [one for one in pod["spec"]["containers"] if one["name"] == name]
    return dict(found)


def flags(arguments: Sequence[str]) -> dict[str, str]:
    """--name=value and --name value alike; a flag without a value is "true"."""
    found: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        head = rest.pop(0)
        if not head.startswith("--"):
            continue
        name, _, value = head[2:].partition("=")
        if not value:
            value = rest.pop(0) if rest and not rest[0].startswith("--") else "true"
        found[name] = value
    return found

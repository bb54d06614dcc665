"""The image as somebody else's program unpacks it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.stack.installed import REPOSITORY


def binary() -> Path:
    return Path(os.environ.get("TODO_SERVICE", REPOSITORY / "build" / "release" / "todo-service")).resolve()


def build(folder: Path, umask: int = 0o022) -> str:
    """Makes the image; returns its digest."""
    done = subprocess.run([sys.executable, "-m", "tools.image", "build", binary(), folder], cwd=REPOSITORY, check=False,
                          umask=umask, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Image:
    """`folder` is the layout, `root` the files as umoci unpacks them, `config` what a runtime is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "oci"
        self.digest = build(self.folder)
        self.tag = self._json("index.json")["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"]
        bundle = folder / "bundle"
        subprocess.run(["umoci", "unpack", *([] if os.getuid() == 0 else ["--rootless"]),
                        "--image", f"{self.folder}:{self.tag}", bundle], check=True, capture_output=True)
        self.root = bundle / "rootfs"
        manifest = self.blob(self.digest)
        self.layers: list[dict[str, Any]] = manifest["layers"]
        self.config: dict[str, Any] = self.blob(manifest["config"]["digest"])["config"]

    def blob(self, digest: str) -> dict[str, Any]:
        return self._json(f"blobs/sha256/{digest.removeprefix('sha256:')}")

    def _json(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / name).read_text("utf-8"))
        return content

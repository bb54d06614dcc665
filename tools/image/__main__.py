"""The command line: see the package."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .oci import Layout
from .root import BINARY, REPOSITORY, USER, ImageError, fill

LAYERS = (("base", "packages of Debian"), ("service", "todo-service"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m tools.image", description="Makes the image of todo-service.")
    parser.add_argument("what", choices=("build", "root"), help="an OCI image layout, or only the files")
    parser.add_argument("binary", type=Path)
    parser.add_argument("folder", type=Path, help="is emptied first")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            folders = [Path(scratch) / name for name, _ in LAYERS]
            for folder in folders:
                folder.mkdir()
            fill(arguments.binary, *folders)
            shutil.rmtree(arguments.folder, ignore_errors=True)
            if arguments.what == "root":
                for folder in folders:
                    shutil.copytree(folder, arguments.folder, symlinks=True, dirs_exist_ok=True)
            else:
                print(build(arguments.binary, folders, arguments.folder))
    except ImageError as error:
        print(f"image: {error}", file=sys.stderr)
        return 1
    return 0


def build(binary: Path, folders: list[Path], target: Path) -> str:
    """Writes the layout and returns the digest of the image."""
    version = _output([binary.resolve(), "--version"]).split()[-1]
    labels = {
        "org.opencontainers.image.title": "todo-service",
        "org.opencontainers.image.description": "The task backend that never loses anything",
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.revision": _output(["git", "-C", REPOSITORY, "rev-parse", "HEAD"]),
    }
    layout = Layout(target, int(os.environ.get("SOURCE_DATE_EPOCH") or _output(
        ["git", "-C", REPOSITORY, "log", "-1", "--format=%ct"])))
    layers = [layout.add_layer(folder, title) for folder, (_, title) in zip(folders, LAYERS, strict=True)]
    config = {
        "User": f"{USER}:{USER}",
        "Entrypoint": [f"/{BINARY}"],
        "Env": ["PATH=/usr/bin"],
        "WorkingDir": "/",
        "Labels": labels,
    }
    return layout.finish(layers, _output(["dpkg", "--print-architecture"]), config, version)


def _output(command: list[str | Path]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())

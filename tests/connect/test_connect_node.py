"""The Connect client for Node against the service: every method, in JSON, in binary and by GET."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from grpc_tools import protoc

from tools.stack import Stack

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the program, with the packages and descriptors that it needs."""
    folder = tmp_path_factory.mktemp("node")
    shutil.copy(HERE / "every_method.mjs", folder)
    packages = subprocess.run([REPOSITORY / "tools" / "setup", "--where", "node"], check=True, capture_output=True, text=True)
    (folder / "node_modules").symlink_to(packages.stdout.strip())
    well_known = Path(importlib.import_module("grpc_tools").__file__).parent / "_proto"
    names = [f"todo/v1/{name}_service.proto" for name in ("todo", "ops", "reminder", "notification")]
    assert protoc.main(["protoc", f"-I{REPOSITORY / 'proto'}", f"-I{well_known}", "--include_imports",
                        f"--descriptor_set_out={folder / 'descriptors'}", *names]) == 0
    return folder


@pytest.mark.parametrize("form", ["json", "proto", "get"])
def test_every_method_answers_the_client_for_node(stack: Stack, program: Path, form: str) -> None:
    task = {"url": f"http://127.0.0.1:{stack.ports['web-0']}", "descriptors": str(program / "descriptors"),
            "headers": {"x-user-id": f"node-{form}"}, "format": form}
    ran = subprocess.run(["node", "every_method.mjs", json.dumps(task)], cwd=program, capture_output=True, text=True,
                         timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr

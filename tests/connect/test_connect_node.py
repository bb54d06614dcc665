"""The Connect client for Node against the service: every method, in JSON, in binary and by GET."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from grpc_tools import protoc
from service_binary import binary, make_token

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
    names = [f"todo/v1/{name}_service.proto" for name in ("todo", "ops", "reminder", "notification", "chat", "analytics")]
    assert protoc.main(["protoc", f"-I{REPOSITORY / 'proto'}", f"-I{well_known}", "--include_imports",
                        f"--descriptor_set_out={folder / 'descriptors'}", *names]) == 0
    return folder


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    (folder / "keys.json").write_text(make_token("--new-key", str(folder / "key.pem")))
    return folder / "key.pem"


@pytest.fixture(scope="module")
def token_stack(key: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A service that asks every caller for a token."""
    flags = ["--auth-issuer=todo-local", f"--auth-jwks-file={key.with_name('keys.json')}"]
    with Stack(tmp_path_factory.mktemp("tokens") / "run", broker="memory", service_binary=binary(), service_flags=flags,
               keep_data=False) as running:
        yield running


def call_every_method(stack: Stack, program: Path, form: str, user: dict[str, str], operator: dict[str, str]) -> None:
    task = {"url": f"http://127.0.0.1:{stack.ports['web-0']}", "descriptors": str(program / "descriptors"),
            "headers": user, "operatorHeaders": operator, "format": form}
    ran = subprocess.run(["node", "every_method.mjs", json.dumps(task)], cwd=program, capture_output=True, text=True,
                         timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("form", ["json", "proto", "get"])
def test_every_method_answers_the_client_for_node(stack: Stack, program: Path, form: str) -> None:
    user = {"x-user-id": f"node-{form}"}
    call_every_method(stack, program, form, user, {**user, "x-user-role": "operator"})


def test_every_method_answers_a_client_with_a_token(token_stack: Stack, key: Path, program: Path) -> None:
    def bearer(*more: str) -> dict[str, str]:
        return {"authorization": f"Bearer {make_token('--key', str(key), '--user=node', *more)}"}

    call_every_method(token_stack, program, "json", bearer(), bearer("--operator"))

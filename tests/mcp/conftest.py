"""A service that asks every caller for a token, for the tests of /mcp. TODO_SERVICE names the binary under test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "support")]

from service_binary import binary, make_token  # noqa: E402

from tools.stack import Stack  # noqa: E402


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    (folder / "keys.json").write_text(make_token("--new-key", str(folder / "key.pem")))
    return folder / "key.pem"


@pytest.fixture(scope="session")
def stack(key: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One replica on the bus in memory: each test uses users of its own."""
    flags = ["--auth-issuer=todo-local", f"--auth-jwks-file={key.with_name('keys.json')}",
             "--web-allowed-origins=https://app.example"]
    with Stack(tmp_path_factory.mktemp("stack") / "run", broker="memory", service_binary=binary(), service_flags=flags,
               keep_data=False) as running:
        yield running


@pytest.fixture(scope="session")
def url(stack: Stack) -> str:
    return f"http://127.0.0.1:{stack.ports['web-0']}/mcp"


@pytest.fixture(scope="session")
def token_of(key: Path) -> Callable[[str], str]:
    """Makes the token of a user."""
    return lambda user: make_token("--key", str(key), f"--user={user}").strip()

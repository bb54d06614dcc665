import json
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS.parent), str(TESTS / "identity"), str(TESTS / "support")]

from json_lines import Program  # noqa: E402

NOW = 1_800_000_000
ISSUER = "https://id.example"


class Authenticator(Program):
    """Our authenticator, whose issuer has the keys of each question."""

    def __init__(self):
        super().__init__("identity", "token_probe")

    def ask_about(self, token, keys, secrets=False, **question):
        """`keys` are JWKs as dictionaries, or the text of a key set."""
        text = keys if isinstance(keys, str) else json.dumps({"keys": keys})
        return self.ask(authorization=[f"Bearer {token}"], keys=text, secrets=secrets, now=NOW, issuer=ISSUER, **question)


@pytest.fixture(scope="session")
def authenticator():
    running = Authenticator()
    yield running
    running.close()


@pytest.fixture
def claims():
    """Good ones, as the claims of every token unless a test changes them."""
    return {"iss": ISSUER, "aud": "todo-service", "sub": "ada", "iat": NOW - 60, "exp": NOW + 600}

"""A real OpenID provider, which makes tokens for the tests."""

from __future__ import annotations

import base64
import json
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from todo_client import REPOSITORY

BRIEF = 6


class Provider:
    """openid_provider.mjs in a process of its own."""

    def __init__(self) -> None:
        packages = subprocess.run([REPOSITORY / "tools/setup", "--where", "node"], check=True, capture_output=True, text=True)
        script = Path(__file__).with_name("openid_provider.mjs")
        self._process = subprocess.Popen(
            ["node", script, packages.stdout.strip()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        self.issuer: str = self.ask("issuer")["issuer"]

    def ask(self, what: str) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": what}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def token(self, client: str, brief: bool = False) -> str:
        """For ten minutes; a brief one for BRIEF seconds."""
        resource = "urn:todo-service:brief" if brief else "urn:todo-service"
        form = {"grant_type": "client_credentials", "scope": "todo", "resource": resource}
        request = urllib.request.Request(f"{self.issuer}/token", urllib.parse.urlencode(form).encode())
        request.add_header("authorization", "Basic " + base64.b64encode(f"{client}:secret".encode()).decode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            token: str = json.load(answer)["access_token"]
            return token

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(30) == 0

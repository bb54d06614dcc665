"""The service as it was before part 12, with the database and the SQL of its time. It is built from history when the first
row that compares with it runs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tools.stack.service import Service

REPOSITORY = Path(__file__).resolve().parents[2]
THEN = "b64976b"


def git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(REPOSITORY), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"this clone does not have {THEN}: its history is needed ({done.stderr.strip()})"
    return done.stdout


def schema() -> str:
    """All its migrations, in order."""
    folder = f"{THEN}:db/migrations"
    return "\n".join(git("show", f"{folder}/{name}") for name in git("ls-tree", "--name-only", folder).split())


def program() -> Path:
    """Its binary with the flags of a release, made when it is not there."""
    setup = REPOSITORY / "tools" / "setup"
    environment = {**os.environ, "RELEASED": THEN}
    subprocess.run([setup, "released"], env=environment, check=True)
    done = subprocess.run([setup, "--where", "released"], env=environment, check=True, capture_output=True, text=True)
    return Path(done.stdout.strip())


class ServiceThen(Service):
    """It had neither a web port nor roles nor limits of users."""

    def own_flags(self) -> dict[str, str]:
        flags = super().own_flags()
        kept = {name: flags[name] for name in ("--app-port", "--api-port", "--dapr-grpc-endpoint", "--pubsub", "--bus",
                                               "--log-level")}
        return {**kept, "--http-port": flags["--ops-port"]}

"""The official client for TypeScript: see dialogue.mjs."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]


def test_a_dialogue_with_the_client_for_typescript(url: str, token_of: Callable[[str], str], tmp_path: Path) -> None:
    shutil.copy(HERE / "dialogue.mjs", tmp_path)
    packages = subprocess.run([REPOSITORY / "tools" / "setup", "--where", "node"], check=True, capture_output=True, text=True)
    (tmp_path / "node_modules").symlink_to(packages.stdout.strip())
    task = {"url": url, "token": token_of("mcp-node"), "otherToken": token_of("mcp-node-other")}
    ran = subprocess.run(["node", "dialogue.mjs", json.dumps(task)], cwd=tmp_path, capture_output=True, text=True,
                         timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr

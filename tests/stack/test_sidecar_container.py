"""SIDECAR=container, with a stand-in of Docker's client that runs the daprd of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.stack.installed import REPOSITORY, where

# The words that Docker would get are written down; a container's environment is what --env names.
DOCKER = """#!/bin/sh
echo "$*" >> {log}
case $1 in
run)
  while [ "$1" != ./daprd ]; do shift; done
  shift
  exec {daprd} "$@" ;;
esac
"""
SCRIPT = """
import sys
from pathlib import Path
from tools.stack import Stack
with Stack(Path(sys.argv[1]), broker="memory") as stack:
    stack.restart("daprd-0")
    assert stack.daprds[0].metadata()["id"] == "todo-service"
    stack.freeze("daprd-0")
    stack.thaw("daprd-0")
    stack.kill("daprd-0")
"""


def test_the_sidecar_of_a_container(tmp_path: Path) -> None:
    log, program = tmp_path / "docker.log", tmp_path / "docker"
    program.write_text(DOCKER.format(log=log, daprd=where("daprd")), encoding="utf-8")
    program.chmod(0o755)
    env = {**os.environ, "SIDECAR": "container", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run([sys.executable, "-c", SCRIPT, tmp_path / "run"], env=env, cwd=REPOSITORY, check=True, timeout=240)
    calls = [line.split() for line in log.read_text("utf-8").splitlines()]
    [name] = {word for call in calls for word in call if word.startswith("--name=")}
    run = calls[0]
    assert run[0] == "run" and "--network=host" in run and "--rm" in run
    assert {"--env=APP_API_TOKEN", "--env=DAPR_API_TOKEN", "--env=POD_NAME", "--env=NAMESPACE"} <= set(run)
    [resources] = [word.partition("=")[2] for word in run if word.startswith("--resources-path=")]
    for file in (resources, str(tmp_path / "run" / "secrets.json")):
        assert f"--volume={file}:{file}:ro" in run
    container = name.partition("=")[2]
    assert {"pause", "unpause", "kill"} <= {call[0] for call in calls if call[-1] == container}

"""Where tools/setup has put the programs. It alone knows, because it names the folders by the content of the pins."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

from .place import StackError

REPOSITORY = Path(__file__).resolve().parents[2]


@functools.cache
def where(name: str) -> Path:
    """Path of daprd, scheduler, grpcurl (programs) or kafka (a folder of jars)."""
    setup = REPOSITORY / "tools" / "setup"
    done = subprocess.run([setup, "--where", name], capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackError(done.stderr.strip())
    return Path(done.stdout.strip())

"""tools/progress: a long step shows how far it is, and a failed one what went wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def run(log: Path, *arguments: str, script: str) -> subprocess.CompletedProcess[str]:
    command = [str(REPOSITORY / "tools" / "progress"), "--log", str(log), *arguments, "a step", "--",
               sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def lines_until(log: Path, *arguments: str, prints: str, expected: str) -> None:
    """Starts a step that prints, and waits, until its progress says what is expected."""
    seen = log.with_name("seen")
    script = f"""
import pathlib, time
print({prints!r}, flush=True)
while not pathlib.Path({str(seen)!r}).exists():
    time.sleep(0.01)
"""
    command = [str(REPOSITORY / "tools" / "progress"), "--log", str(log), "--every", "0.01", *arguments, "a step", "--",
               sys.executable, "-c", script]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert any(expected in line for line in iter(process.stderr.readline, ""))
        seen.touch()
        process.communicate(timeout=60)
        assert process.returncode == 0


def test_a_long_step_says_how_far_it_is_before_it_ends(tmp_path: Path) -> None:
    lines_until(tmp_path / "log", prints="[3/9] Building CXX object", expected="a step: 3 of 9, ")


def test_lines_that_match_are_counted(tmp_path: Path) -> None:
    lines_until(tmp_path / "log", "--count", "^Setting up", "--of", "4",
                prints="Setting up a\nReading\nSetting up b", expected="a step: 2 of 4, ")


def test_a_short_step_says_nothing(tmp_path: Path) -> None:
    done = run(tmp_path / "log", script="print('hello')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "log").read_text() == "hello\n"


def test_a_failed_step_shows_its_output_and_keeps_its_status(tmp_path: Path) -> None:
    done = run(tmp_path / "log", script="print('[1/2] x'); print('no such header'); raise SystemExit(3)")
    assert done.returncode == 3
    assert "no such header" in done.stderr
    assert "[1/2] x" not in done.stderr
    assert f"failed: a step; all of its output: {tmp_path / 'log'}" in done.stderr


def test_a_program_that_is_missing_is_a_failure(tmp_path: Path) -> None:
    command = [str(REPOSITORY / "tools" / "progress"), "--log", str(tmp_path / "log"), "a step", "--", "no-such-program"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 127
    assert "no-such-program" in done.stderr

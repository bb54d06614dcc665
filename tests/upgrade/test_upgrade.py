"""Two releases side by side lose nothing; and a release that breaks the one before it is found out."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from upgrade import REPOSITORY, Programs, report, upgrade  # noqa: E402

from tools.stack.installed import where  # noqa: E402


@pytest.fixture
def programs() -> Programs:
    return Programs(older=where("released"), newer=REPOSITORY / "build" / "ci" / "todo-service")


def test_upgrade_and_rollback_under_load(tmp_path: Path, programs: Programs) -> None:
    result = upgrade(tmp_path / "run", programs, seed=1)
    report(result)
    assert result.passed


def test_a_migration_that_breaks_the_older_program_is_found(tmp_path: Path, programs: Programs) -> None:
    result = upgrade(tmp_path / "run", programs, seed=2, changes=50, plant="migration")
    report(result)
    assert any('"event": "database_error"' in text for text in result.trouble)

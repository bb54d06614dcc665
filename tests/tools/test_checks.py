"""What tools/lint says about rooms and sizes, tried on small trees with one mistake each."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import check_arrows  # noqa: E402
import check_sizes  # noqa: E402


def tree(root: Path, name: str, text: str) -> Path:
    path = root / "src" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "include", "fault"),
    [
        ("domain/task.h", '"ports/clock.h"', "'domain' must not include 'ports/clock.h'"),
        ("domain/task/deep/task.h", '"ports/clock.h"', "'domain' must not include 'ports/clock.h'"),
        ("service/tasks/task.cc", "<pqxx/pqxx>", "pqxx/pqxx belongs into store"),
        ("service/tasks/task.cc", '"domain/time.h"', None),
    ],
)
def test_arrows_hold_in_every_folder(tmp_path, monkeypatch, name, include, fault):
    monkeypatch.setattr(check_arrows, "ROOT", tmp_path)
    path = tree(tmp_path, name, f"#include {include}\n")
    found = check_arrows.faults(name.split("/")[0], path)
    assert [fault in line for line in found] == ([True] if fault else [])


HEADS = [
    "absl::Status Store::Apply(const Mutation& mutation) {",
    "template <typename T>\nstd::vector<T> Sorted(\n    std::vector<T> values,\n    bool descending) {",
    "Store::Store(Options options)\n    : options_(std::move(options)),\n      pool_(options_.url) {",
]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("extra", [0, 1])
def test_a_function_has_70_lines_at_most(tmp_path, head, extra):
    body_lines = check_sizes.MAX_FUNCTION - head.count("\n") - 2 + extra
    body = "\n".join(["  if (a) {", "    b();", "  }"] + ["  c();"] * (body_lines - 3))
    path = tree(tmp_path, "store/store.cc", f"namespace todo {{\nnamespace {{\n\n{head}\n{body}\n}}\n\n}}  // namespace\n")
    assert len(check_sizes.faults(path, tmp_path)) == extra


def test_a_method_in_a_class_and_a_lambda_count_where_they_stand(tmp_path):
    method = "  int Count() {\n" + "    a();\n" * 70 + "  }\n"
    path = tree(tmp_path, "store/store.h", f"class Store {{\n public:\n{method}\n private:\n  int a_ = 0;\n}};\n")
    assert "Count has 72 lines" in check_sizes.faults(path, tmp_path)[0]


def test_a_file_has_400_lines_at_most(tmp_path):
    path = tree(tmp_path, "store/store.cc", "// a\n" * 400)
    assert check_sizes.faults(path, tmp_path) == []
    path.write_text("// a\n" * 401)
    assert "401 lines" in check_sizes.faults(path, tmp_path)[0]


def test_an_exception_that_nothing_needs_is_a_fault(tmp_path, monkeypatch):
    monkeypatch.setattr(check_sizes, "EXCEPTIONS", {"store/store.cc": "long", "store/gone.cc: Gone": "gone"})
    path = tree(tmp_path, "store/store.cc", "// a\n" * 401)
    assert check_sizes.faults(path, tmp_path) == []
    assert len(check_sizes.unused(tmp_path)) == 1

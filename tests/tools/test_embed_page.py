"""What src/page/embed.py makes of the files of the page."""

from __future__ import annotations

import importlib.util
import sys
import zlib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
specification = importlib.util.spec_from_file_location("embed", REPOSITORY / "src" / "page" / "embed.py")
embed = importlib.util.module_from_spec(specification)
sys.modules["embed"] = embed
specification.loader.exec_module(embed)


@pytest.fixture
def web(tmp_path: Path) -> Path:
    folder = tmp_path / "web"
    (folder / "core").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>")
    (folder / "core" / "api.js").write_text('const nine = "\\u0039??/";\n' * 9)
    (folder / "i.png").write_bytes(bytes(range(256)))
    return folder


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    folder = tmp_path / "node_modules"
    for name in embed.LIBRARY_FILES.values():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"/* {name} */")
    for name in embed.LICENCES:
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "LICENSE").write_text(f"licence of {name}\n")
    return folder


def test_files_are_ordered_and_have_types_of_their_endings(web: Path, modules: Path) -> None:
    found = embed.files(web, modules)
    assert [file.path for file in found] == ["/core/api.js", "/i.png", "/index.html", "/lib/licences.txt", "/lib/preact.js",
                                             "/lib/uplot.css", "/lib/uplot.js"]
    assert [file.type.split(";")[0] for file in found[:4]] == ["text/javascript", "image/png", "text/html", "text/plain"]
    licences = found[3].body.decode()
    assert all(f"licence of {name}" in licences for name in ("htm", "preact", "uplot"))


def test_what_gets_shorter_is_packed(web: Path, modules: Path) -> None:
    by_path = {file.path: file for file in embed.files(web, modules)}
    script = by_path["/core/api.js"]
    assert zlib.decompress(script.gzip, wbits=31) == script.body and len(script.gzip) < len(script.body)
    assert script.gzip[4:8] == bytes(4), "no time of packing"
    assert by_path["/i.png"].gzip == b"" and by_path["/index.html"].gzip == b""


def test_a_tag_is_that_of_the_content(web: Path, modules: Path) -> None:
    before = {file.path: file.etag for file in embed.files(web, modules)}
    (web / "core" / "api.js").write_text("let other;")
    after = {file.path: file.etag for file in embed.files(web, modules)}
    assert {path for path in before if before[path] != after[path]} == {"/core/api.js"}


def test_the_source_is_the_same_each_time(web: Path, modules: Path, tmp_path: Path) -> None:
    made = []
    for name in ("one.cc", "other.cc"):
        embed.main(web, modules, tmp_path / name)
        made.append((tmp_path / name).read_text())
    assert made[0] == made[1] and str(tmp_path) not in made[0]


@pytest.mark.parametrize("name", ["notes.md", "app.js~", "LICENSE", "core/.api.js.swp"])
def test_an_unknown_ending_is_an_error(web: Path, modules: Path, name: str) -> None:
    (web / name).write_text("x")
    with pytest.raises(SystemExit, match="has no files of this kind"):
        embed.files(web, modules)


@pytest.mark.parametrize("name", ["lib/preact.js", "settings.json"])
def test_the_paths_of_others_are_not_taken(web: Path, modules: Path, name: str) -> None:
    (web / name).parent.mkdir(exist_ok=True)
    (web / name).write_text("{}")
    with pytest.raises(SystemExit, match="this path is not a file's"):
        embed.files(web, modules)

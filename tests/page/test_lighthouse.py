"""Lighthouse of the same version everywhere: full marks for accessibility and best practices."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import FLAGS
from chromium import find_chromium
from conftest import Place, page_tests
from playwright.sync_api import Playwright
from product import Product
from todo_client import Client


@pytest.fixture(scope="module")
def port(playwright: Playwright, place: Place, furnished: Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where Lighthouse reaches a Chromium whose user has signed in."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    profile: Path = tmp_path_factory.mktemp("lighthouse")
    context = playwright.chromium.launch_persistent_context(
        profile, executable_path=find_chromium(), args=[*FLAGS, f"--remote-debugging-port={number}"], timezone_id="Europe/Berlin")
    page = context.pages[0]
    page.goto(place.origin)
    Product(page).sign_in_if_asked(furnished.user, operator=True)
    yield number
    context.close()


@pytest.mark.parametrize("path", ["/today", "/all", "/usage", "/preferences", "/operator"])
def test_lighthouse_gives_full_marks(port: int, place: Place, path: str) -> None:
    done = subprocess.run(
        ["node", page_tests() / "lighthouse" / "cli" / "index.js", place.origin + path, f"--port={port}", "--quiet",
         "--output=json", "--only-categories=accessibility,best-practices", "--disable-storage-reset",
         "--no-enable-error-reporting"],
        check=True, capture_output=True, text=True, timeout=280)
    report = json.loads(done.stdout)
    weak = [f"{name}: {audit['title']} {json.dumps(audit.get('details', {}).get('items', []))[:600]}"
            for name, audit in report["audits"].items() if audit.get("score") is not None and audit["score"] < 1]
    scores = {name: category["score"] for name, category in report["categories"].items()}
    assert scores == {"accessibility": 1, "best-practices": 1}, "\n".join(weak)

"""A Chromium without a window, driven over its DevTools protocol."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import threading
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from websockets.sync.client import connect

PATIENCE = 60.0
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--no-proxy-server", "--remote-debugging-port=0")


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Page:
    """One page in a browser of its own. The profile lies in `folder`."""

    def __init__(self, folder: Path) -> None:
        program = find_chromium()
        assert program, "no chromium is installed"
        self._process = subprocess.Popen([program, *FLAGS, f"--user-data-dir={folder}", "about:blank"], text=True,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert self._process.stderr
        found = None
        while not found:
            line = self._process.stderr.readline()
            assert line, "chromium has ended"
            found = re.search(r"DevTools listening on ws://([^/]+)/", line)
        # Its further notices must not fill the pipe.
        threading.Thread(target=self._process.stderr.read, daemon=True).start()
        with urllib.request.urlopen(f"http://{found[1]}/json/list", timeout=PATIENCE) as answer:
            [target] = [target for target in json.load(answer) if target["type"] == "page"]
        self._open = ExitStack()
        self._socket = self._open.enter_context(
            connect(target["webSocketDebuggerUrl"], proxy=None, max_size=None, compression=None))
        self._ids = itertools.count(1)

    def __enter__(self) -> Page:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open.close()
        self._process.terminate()
        self._process.wait(PATIENCE)

    def open(self, url: str) -> None:
        answer = self._call("Page.navigate", url=url)
        assert "errorText" not in answer, answer

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression; a promise is waited for."""
        answer = self._call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(PATIENCE))
            if message.get("id") == number:
                assert "error" not in message, message["error"]
                result: dict[str, Any] = message["result"]
                return result

"""The sessions that docs/live.md shows, held with a running service. `transcript.py` writes them into the document;
test_document.py holds them again and compares.

    $(tools/setup --where python) tests/live/transcript.py
"""

from __future__ import annotations

import http.client
import json
import re
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "support")]

from service_binary import binary, make_token  # noqa: E402
from todo_client import Client  # noqa: E402
from websockets.sync.client import ClientConnection, connect  # noqa: E402

from tools.stack import Stack  # noqa: E402

DOCUMENT = REPOSITORY / "docs" / "live.md"
WIDTH = 118
BLOCK = r"(<!-- transcript: {} -->\n```text\n)(.*?)(```\n)"
PATIENCE = 30


@contextmanager
def running_service(folder: Path, *more_flags: str) -> Iterator[tuple[Stack, Callable[[str], str]]]:
    """A service with a key of its own, and what makes tokens of a lifetime for ada."""
    key = folder / "key.pem"
    (folder / "keys.json").write_text(make_token("--new-key", str(key)))
    flags = ["--auth-issuer=todo-local", f"--auth-jwks-file={folder / 'keys.json'}", "--auth-clock-skew=0s"]
    flags += [f"--{port}-address=127.0.0.1" for port in ("api", "web", "ops")]
    flags += ["--ticket-key-entry=ticket-key", *more_flags]
    secrets = {"ticket-key": "a key for tickets of these tests, of no use elsewhere"}
    with Stack(folder / "run", broker="memory", service_binary=binary(), service_flags=flags, secrets=secrets,
               keep_data=False) as stack:
        yield stack, lambda lifetime: make_token("--key", str(key), "--user", "ada", "--for", lifetime)


class Session:
    """One WebSocket, and what was said over it. Tasks are cut short; the first one is not, if `whole`."""

    def __init__(self, stack: Stack, whole: bool = False) -> None:
        self.lines: list[str] = []
        self._whole = whole
        self._open = ExitStack()
        self._socket: ClientConnection = self._open.enter_context(connect(
            f"ws://127.0.0.1:{stack.ports['web-0']}/ws", subprotocols=["todo.v1"], compression=None, proxy=None))

    def say(self, **message: Any) -> None:
        self._socket.send(json.dumps(message))
        self._note(">", message)

    def hear(self, *kinds: str) -> dict[str, Any]:
        """Notes messages until one of each kind has come."""
        for kind in kinds:
            message: dict[str, Any] = {}
            while message.get("type") != kind:
                text = self._socket.recv(PATIENCE)
                message = json.loads(text)
                self._note("<", message)
        return message

    def close(self) -> str:
        self._open.close()
        return "\n".join(self.lines) + "\n"

    def _note(self, side: str, message: dict[str, Any]) -> None:
        self.lines += wrapped(f"{side} ", message, self._whole)
        self._whole = self._whole and "tasks" not in message


def wrapped(begin: str, message: dict[str, Any], whole: bool = False) -> list[str]:
    """The message in lines of the document's width; tokens, and tasks unless `whole`, are cut short."""
    shown = dict(message)
    if "token" in shown:
        shown["token"] = shown["token"][:12] + "…"
    text = json.dumps(shown, separators=(",", ":"), ensure_ascii=False)
    if not whole:
        text = re.sub(r'(\{"id":\d+,"title":"[^"]*"),"description".*?"series_anchor_later":null\}', r"\1,…}", text)
    lines = [begin]
    for part in re.findall(r'(?:[^",]|"(?:[^"\\]|\\.)*")+,?', text):
        if len(lines[-1]) + len(part) > WIDTH and lines[-1].strip():
            lines.append(" " * max(len(begin), 2))
        lines[-1] += part
    return lines


class Changer:
    """ada's calls."""

    def __init__(self, stack: Stack, token: str) -> None:
        self._client = Client(stack.api_target(), "ada")
        self._token = token

    def _call(self, method: str, request: Any) -> Any:
        return self._client.call(method, request, authorization=f"Bearer {self._token}")

    def tasks(self) -> list[Any]:
        return list(self._call("ListTasks", self._client.messages.ListTasksRequest()).tasks)

    def ticket(self) -> str:
        ticket: str = self._call("CreateWatchTicket", self._client.messages.CreateWatchTicketRequest()).ticket
        return ticket

    def create(self, title: str) -> int:
        messages = self._client.messages
        request = messages.CreateTaskRequest(task=messages.Task(title=title), request_id=str(uuid.uuid4()))
        created: int = self._call("CreateTask", request).id
        return created

    def complete(self, task_id: int) -> None:
        self._call("CompleteTask", self._client.messages.CompleteTaskRequest(id=task_id, request_id=str(uuid.uuid4())))

    def delete(self, task_id: int) -> None:
        self._call("DeleteTask", self._client.messages.DeleteTaskRequest(id=task_id, request_id=str(uuid.uuid4())))


def hold(stack: Stack, token: Callable[[str], str]) -> dict[str, str]:
    """All sessions, by name."""
    found = {}
    ada = Changer(stack, token("1h"))
    ada.create("Buy bread")

    session = Session(stack, whole=True)
    session.say(type="hello", token=token("1h"))
    session.hear("snapshot")
    plants = ada.create("Water the plants")
    session.hear("update")
    ada.complete(plants)
    session.hear("update")
    ada.delete(plants)
    last = session.hear("update")
    session.hear("ping")
    found["first"] = session.close()

    cursor = {"seq": last["seq"], "event_id": last["event_id"]}
    ada.create("Call grandmother")
    session = Session(stack)
    session.say(type="hello", token=token("1h"), **cursor)
    session.hear("resumed", "update")
    found["resumed"] = session.close()

    session = Session(stack)
    session.say(type="hello", token=token("1h"), seq=cursor["seq"], event_id=str(uuid.uuid4()))
    session.hear("resync", "snapshot")
    found["resync"] = session.close()

    session = Session(stack)
    session.say(type="hello", token=token("1m"), snapshot="none")
    session.hear("snapshot")
    session.say(type="token", token=token("1h"))
    session.hear("token_accepted")
    found["renewal"] = session.close()

    found["events"] = events(stack, token("1h"), ada)
    return found


def events(stack: Stack, token: str, ada: Changer) -> str:
    web = http.client.HTTPConnection("127.0.0.1", stack.ports["web-0"], timeout=PATIENCE)
    web.request("GET", "/events?snapshot=open", headers={"authorization": f"Bearer {token}"})
    answer = web.getresponse()
    lines = ["$ curl -N -H \"authorization: Bearer $token\" 'http://127.0.0.1:8080/events?snapshot=open'"]
    changed = False
    while "event: update" not in lines or lines[-1]:
        line = answer.readline().decode().rstrip("\n")
        if line.startswith("data: "):
            lines += wrapped("data: ", json.loads(line.removeprefix("data: ")))
        else:
            lines.append(line)
        if not changed and "event: snapshot" in lines and not line:
            ada.create("Feed the cat")
            changed = True
    web.close()
    return "\n".join(lines).rstrip() + "\n"


def normal(text: str) -> str:
    """Without what differs from session to session."""
    text = re.sub(r"\n +(?=\S)", "", text)
    text = re.sub(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    text = re.sub(r"eyJ[\w-]*…", "TOKEN", text)
    return re.sub(r'("(?:id|task_id)":)\d+', r"\1N", text)


def blocks() -> dict[str, str]:
    """As the document has them."""
    found = re.findall(BLOCK.format(r"(\w+)"), DOCUMENT.read_text(), re.DOTALL)
    return {name: text for _, name, text, _ in found}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="todo-transcript-") as folder, running_service(Path(folder)) as (stack, token):
        document = DOCUMENT.read_text()
        for name, text in hold(stack, token).items():
            document = re.sub(BLOCK.format(name), lambda block, text=text: block[1] + text + block[3], document, flags=re.DOTALL)
        DOCUMENT.write_text(document)


if __name__ == "__main__":
    main()

"""The dialogue that docs/chat.md shows, held with a running service: every line after "> " is said again, in order, by
a user without tasks. This program writes the answers into the document; test_chat.py compares them.

    $(tools/setup --where python) tests/integration/chat_transcript.py
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "support")]

from chats import GrpcChat  # noqa: E402
from service_binary import binary  # noqa: E402
from todo_client import Client, Usage, eventually  # noqa: E402

from tools.stack import Stack  # noqa: E402

DOCUMENT = REPOSITORY / "docs" / "chat.md"
BLOCK = re.compile(r"(<!-- transcript: dialogue -->\n```text\n)(.*?)(```\n)", re.DOTALL)
SAID = "> "
DAY = r"(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, )?\d{1,2} [A-Z][a-z]+ \d{4}"


def written() -> str:
    """As the document has it."""
    found = BLOCK.search(DOCUMENT.read_text())
    assert found, f"{DOCUMENT} has no dialogue"
    return found[2]


def held(stack: Stack, user: str, dialogue: str) -> str:
    """The same sentences, with the answers of the service."""
    chat, client, usage = GrpcChat(stack, user), Client(stack.api_target(), user), Usage(stack.api_target(), user)
    lines = []
    for line in dialogue.splitlines():
        if not line.startswith(SAID):
            continue
        eventually(lambda: usage.get().as_of_seq == len(client.changes()), "all changes are counted")
        lines += [line, *chat.say(line.removeprefix(SAID)).text.splitlines(), ""]
    return "\n".join(lines[:-1]) + "\n"


def normal(text: str) -> str:
    """Without the dates, which differ from day to day."""
    return re.sub(DAY, "DAY", text)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="todo-transcript-") as folder, \
            Stack(Path(folder) / "run", broker="memory", service_binary=binary(), keep_data=False) as stack:
        dialogue = held(stack, "ada", written())
    DOCUMENT.write_text(BLOCK.sub(lambda block: block[1] + dialogue + block[3], DOCUMENT.read_text()))


if __name__ == "__main__":
    main()

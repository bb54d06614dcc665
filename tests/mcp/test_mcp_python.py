"""The official client for Python in dialogues with the service, in each way that it knows to begin: the handshake of the
older versions of the protocol, its own choice, and the version without a handshake."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

MODES = ["legacy", "auto", "2026-07-28"]
TokenOf = Callable[[str], str]


@asynccontextmanager
async def connected(url: str, token: str, mode: str = "auto") -> AsyncIterator[Client]:
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=30) as http:
        async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
            yield client


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """The structured content of a tool that succeeds; the client holds it against the tool's schema."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content[0].text
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


async def advice(client: Client, tool: str, **arguments: Any) -> str:
    """What the assistant is told when a tool fails."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, result.structured_content
    return result.content[0].text


def leaves(error: BaseException) -> list[BaseException]:
    """The errors of a group, and of the groups in it."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for inner in error.exceptions for leaf in leaves(inner)]


def run(dialogue: Awaitable[None]) -> None:
    asyncio.run(asyncio.wait_for(dialogue, timeout=60))


@pytest.mark.parametrize("mode", MODES)
def test_a_client_learns_what_the_server_is_and_offers(url: str, token_of: TokenOf, mode: str) -> None:
    async def dialogue() -> None:
        async with connected(url, token_of("mcp-offers"), mode) as client:
            assert client.protocol_version == ("2025-11-25" if mode == "legacy" else "2026-07-28")
            if mode != "2026-07-28":  # where nobody asks, nobody tells
                assert "find_tasks" in (client.instructions or "")
                assert client.server_capabilities.tools is not None
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert len(tools) == 10
            reading = {name for name, tool in tools.items() if tool.annotations.read_only_hint}
            assert reading == {"find_tasks", "preview_rule", "usage"}
            destructive = {name for name, tool in tools.items() if tool.annotations.destructive_hint}
            assert destructive == {"delete_task"}
            assert [str(resource.uri) for resource in (await client.list_resources()).resources] == ["todo://today"]
            templates = (await client.list_resource_templates()).resource_templates
            assert [template.uri_template for template in templates] == ["todo://tasks/{id}"]

    run(dialogue())


@pytest.mark.parametrize("mode", MODES)
def test_a_dialogue_among_tasks_with_titles_alike(url: str, token_of: TokenOf, mode: str) -> None:
    async def dialogue() -> None:
        async with connected(url, token_of(f"mcp-ada-{mode}"), mode) as client:
            milk = (await call(client, "add_task", title="Buy milk", due_local="2030-05-01T18:00",
                               time_zone="Europe/Berlin", request_id=str(uuid.uuid4())))["task"]
            oat_milk = (await call(client, "add_task", title="Buy oat milk for Ben"))["task"]
            await call(client, "add_task", title="Call the bank", priority="high", tags=["money"])

            found = await call(client, "find_tasks", words="milk", completed=False)
            assert {task["title"] for task in found["tasks"]} == {"Buy milk", "Buy oat milk for Ben"}
            assert {task["fit"] for task in found["tasks"]} == {"all_words"}
            meant = next(task for task in found["tasks"] if task["title"] == "Buy milk")
            done = (await call(client, "complete_task", id=meant["id"], etag=meant["etag"]))["task"]
            assert (done["id"], done["completed"]) == (milk["id"], True)

            moved = await call(client, "postpone_task", id=oat_milk["id"], due_local="2030-05-02")
            assert moved["task"]["due_local"] == "2030-05-02"
            changed = await call(client, "change_task", id=oat_milk["id"], title="Buy soy milk", priority="low")
            assert (changed["task"]["title"], changed["task"]["priority"]) == ("Buy soy milk", "low")
            reminder = await call(client, "remind", id=oat_milk["id"], before="PT1H")
            assert reminder["reminder"]["before"] == "PT1H"
            assert "has changed since" in await advice(client, "change_task", id=oat_milk["id"], title="x",
                                                       etag=oat_milk["etag"])

            seen = await client.read_resource(f"todo://tasks/{oat_milk['id']}")
            content = json.loads(seen.contents[0].text)
            assert (content["task"]["title"], len(content["reminders"])) == ("Buy soy milk", 1)
            with pytest.raises(MCPError):
                await client.read_resource("todo://tasks/999999999")

    run(dialogue())


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_deleted_without_what_was_shown(url: str, token_of: TokenOf, mode: str) -> None:
    async def dialogue() -> None:
        async with connected(url, token_of(f"mcp-deletes-{mode}"), mode) as client:
            task = (await call(client, "add_task", title="Old notes"))["task"]
            assert (await advice(client, "delete_task", id=task["id"])).startswith("etag: must be given")
            assert "has changed" in await advice(client, "delete_task", id=task["id"], etag="v9")
            assert len((await call(client, "find_tasks"))["tasks"]) == 1
            await call(client, "delete_task", id=task["id"], etag=task["etag"])
            assert (await call(client, "find_tasks"))["tasks"] == []
            restored = await call(client, "restore_task", id=task["id"])
            assert restored["task"]["title"] == "Old notes"

    run(dialogue())


def test_a_task_of_somebody_else_is_not_there(url: str, token_of: TokenOf) -> None:
    async def dialogue() -> None:
        async with connected(url, token_of("mcp-owner")) as owner, connected(url, token_of("mcp-other")) as other:
            task = (await call(owner, "add_task", title="Private", due_local="2030-05-01"))["task"]
            for tool, more in (("complete_task", {}), ("change_task", {"title": "Taken"}),
                               ("postpone_task", {"due_local": "2030-05-02"}), ("remind", {"before": "PT1H"}),
                               ("delete_task", {"etag": task["etag"]})):
                refused = await advice(other, tool, id=task["id"], **more)
                assert refused.startswith(f"you have no task {task['id']}"), tool
                assert "find_tasks" in refused, tool
            assert (await call(other, "find_tasks"))["tasks"] == []
            with pytest.raises(MCPError):
                await other.read_resource(f"todo://tasks/{task['id']}")
            assert (await call(owner, "find_tasks"))["tasks"] == [task]

    run(dialogue())


def test_a_repeated_change_is_made_once(url: str, token_of: TokenOf) -> None:
    async def dialogue() -> None:
        request_id = str(uuid.uuid4())
        async with connected(url, token_of("mcp-repeats")) as client:
            first = await call(client, "add_task", title="Once", request_id=request_id)
            assert await call(client, "add_task", title="Once", request_id=request_id) == first
            assert "new request_id" in await advice(client, "add_task", title="Twice", request_id=request_id)
            assert len((await call(client, "find_tasks"))["tasks"]) == 1

    run(dialogue())


def test_a_line_of_text_makes_a_task(url: str, token_of: TokenOf) -> None:
    async def dialogue() -> None:
        async with connected(url, token_of("mcp-text")) as client:
            added = await call(client, "add_task", text="pay rent every month on the 1st at 9 p1 #home")
            task = added["task"]
            assert (task["title"], task["priority"], task["tags"]) == ("pay rent", "high", ["home"])
            assert task["due_local"].endswith("-01T09:00:00")
            assert "FREQ=MONTHLY" in task["recurrence_rule"]

    run(dialogue())


def test_the_list_of_the_day(url: str, token_of: TokenOf) -> None:
    async def dialogue() -> None:
        async with connected(url, token_of("mcp-today")) as client:
            today = (await call(client, "find_tasks"))["now"][:10]
            await call(client, "add_task", title="Now", due_local=today)
            await call(client, "add_task", title="Long ago", due_local="2020-01-01")
            await call(client, "add_task", title="Far away", due_local="2099-01-01")
            day = json.loads((await client.read_resource("todo://today")).contents[0].text)
            assert [task["title"] for task in day["overdue"]] == ["Long ago"]
            assert [task["title"] for task in day["due_today"]] == ["Now"]

    run(dialogue())


def test_a_rule_is_previewed(url: str, token_of: TokenOf) -> None:
    async def dialogue() -> None:
        async with connected(url, token_of("mcp-rules")) as client:
            preview = await call(client, "preview_rule", recurrence_rule="FREQ=WEEKLY;BYDAY=MO", due_local="2030-05-06",
                                 count=2)
            assert [date["due_local"] for date in preview["occurrences"]] == ["2030-05-13", "2030-05-20"]
            assert (await advice(client, "preview_rule", recurrence_rule="often", due_local="2030-05-06")).startswith(
                "recurrence_rule: ")

    run(dialogue())


def test_how_the_user_is_doing(url: str, token_of: TokenOf) -> None:
    async def dialogue() -> None:
        async with connected(url, token_of("mcp-usage")) as client:
            task = (await call(client, "add_task", title="Count me"))["task"]
            await call(client, "complete_task", id=task["id"])
            await call(client, "add_task", title="Still open")
            usage = await call(client, "usage", bucket="week", breakdown="priority", compare=True)
            while usage["as_of_seq"] < 3:  # the numbers follow the events
                await asyncio.sleep(0.1)
                usage = await call(client, "usage", bucket="week", breakdown="priority", compare=True)
            assert (usage["open"], usage["totals"]["counts"]["created"], usage["totals"]["counts"]["completed"]) == (1, 2, 1)
            assert (await advice(client, "usage", bucket="year")).startswith("bucket: must be one of: hour, day, week, month")

    run(dialogue())


@pytest.mark.parametrize("mode", MODES)
def test_a_wrong_token_opens_nothing(url: str, token_of: TokenOf, mode: str) -> None:
    async def dialogue() -> None:
        forged = token_of("mcp-ada")[:-4] + "AAAA"
        refusals: list[str] = []
        try:
            async with connected(url, forged, mode) as client:
                await client.list_tools()
        except* MCPError as errors:  # in groups where the client had tasks
            refusals += [str(error) for error in leaves(errors)]
        assert len(refusals) == 1 and "token" in refusals[0], refusals

    run(dialogue())

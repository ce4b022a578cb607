"""What an agent gets, asked by the protocol's own client over standard input and output; nothing it asks redeploys."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from tests.cli import story
from tests.conftest import COMMAND
from tests.live.conftest import AzureStarter

Call = Callable[..., Awaitable[Any]]


def ask_server(ask: Callable[[Client], Awaitable[Any]], *arguments: str | Path, **variables: str) -> Any:
    """What an agent finds out that starts the command as its configuration says."""

    async def connect() -> Any:
        server = StdioServerParameters(
            command=str(COMMAND), args=["mcp", *map(str, arguments)], env={**os.environ, **variables}
        )
        async with Client(server) as client:
            return await ask(client)

    return asyncio.run(asyncio.wait_for(connect(), 100))


def test_every_tool_says_that_it_only_reads() -> None:
    async def ask(client: Client) -> Any:
        return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in ask_server(ask)}

    assert set(tools) == {"check", "explain", "doctor", "plan_redeploy"}
    for tool in tools.values():
        assert tool.annotations is not None
        assert (tool.annotations.read_only_hint, tool.annotations.destructive_hint) == (True, False)
        assert tool.description


def test_an_archive_is_diagnosed_as_on_the_command_line(tmp_path: Path, vmdiag: Any) -> None:
    log = story.write_log(tmp_path, story.make_affected_log())
    plain = json.loads(vmdiag("check", "--source", log, "--all", "-o", "json").out)

    async def ask(client: Client) -> Any:
        full = await client.call_tool("check", {"vms": [], "full": True})
        short = await client.call_tool("check", {"vms": []})
        page = await client.call_tool("explain", {"scenario": "NetworkDatapathLiveMigrationSerializationError"})
        return full.structured_content, short.structured_content, page.content[0]

    full, short, page = ask_server(ask, "--source", log, VMDIAG_REDEPLOY="1", VMDIAG_OUTPUT="csv", VMDIAG_OUT="stray")

    assert full["cases"] == plain["cases"]
    assert [case["verdict"] for case in short["cases"]] == [case["verdict"] for case in plain["cases"]]
    assert "curve" not in short["cases"][0]
    assert any(case["evidence"] for case in short["cases"])
    assert page.text.startswith("Scenario: live-migration-datapath\n")
    assert not Path("stray").exists()


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("check", {"vms": ["--redeploy"]}, "error"),
        ("check", {"vms": ["nobody"]}, "nobody"),
        ("check", {"vms": [], "since": "yesterday --redeploy"}, "neither a duration nor a time"),
        ("explain", {"scenario": "user-stopp"}, "Did you mean user-stop?"),
        ("plan_redeploy", {"vm": "--yes"}, "error"),
    ],
)
def test_what_makes_no_sense_is_told_as_an_error_with_a_hint(
    tmp_path: Path, tool: str, arguments: dict[str, Any], told: str
) -> None:
    log = story.write_log(tmp_path, story.make_affected_log())

    async def ask(client: Client) -> Any:
        return await client.call_tool(tool, arguments)

    answer = ask_server(ask, "--source", log)

    assert answer.is_error
    assert told in answer.content[0].text
    assert "hint" in answer.content[0].text
    assert "Traceback" not in answer.content[0].text


def test_a_plan_is_shown_with_its_guards_and_no_request_leaves(azure: AzureStarter) -> None:
    there = azure()

    async def ask(client: Client) -> Any:
        plan = await client.call_tool("plan_redeploy", {"vm": "prod/web-01"})
        access = await client.call_tool("doctor", {})
        return plan.structured_content, access.structured_content

    settings = {**there.environment, "VMDIAG_CLOUD": there.arm.url, "VMDIAG_SINCE": "1d", "VMDIAG_REDEPLOY": "1"}
    plan, access = ask_server(ask, **settings)
    (case,) = plan["cases"]

    assert case["mitigation"]["status"] in {"planned", "refused"}
    assert {guard["guard"] for guard in case["mitigation"]["guards"]} >= {"verdict", "count", "consent"}
    assert case["mitigation"]["loses"]
    assert access["checks"][0]["status"] == "ok"
    assert there.redeploy_count == 0
    assert not there.journal.path.exists()

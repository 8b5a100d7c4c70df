"""The deployed folder, run as it is: it writes a line, and what its README shows does what it says."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client

from scripts.demo import serving
from scripts.demo.render import LOCAL_ADDRESS
from scripts.demo.smoke import HANGUL, check_page


@pytest.fixture(scope="module")
def page(hub, deployed) -> Iterator[serving.Page]:
    with serving.running(hub.snapshot(deployed), 0) as served:
        assert HANGUL.search(check_page(served.address, 120, look_after=served.check))
        yield served


def example(page: serving.Page, language: str) -> str:
    """The block of the README in a language, for the page that is served."""
    readme = (page.folder / "README.md").read_text(encoding="utf-8")
    [block] = re.findall(rf"^```{language}\n(.*?)^```", readme, re.M | re.S)
    assert LOCAL_ADDRESS in block
    return block.replace(LOCAL_ADDRESS, page.address)


def test_python(page: serving.Page) -> None:
    done = subprocess.run([sys.executable, "-c", example(page, "python")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert 1 <= len(lines) <= 3
    assert all(HANGUL.search(line) for line in lines)


def test_curl(page: serving.Page) -> None:
    done = subprocess.run(["bash", "-c", example(page, "bash")], capture_output=True, text=True, check=False)
    assert "event: complete" in done.stdout, done.stdout + done.stderr
    [lines] = json.loads(done.stdout.rsplit("data: ", 1)[1])
    assert 1 <= len(lines) <= 3
    assert all(HANGUL.search(line) for line in lines)


def test_mcp(page: serving.Page) -> None:
    [server] = json.loads(example(page, "json"))["mcpServers"].values()

    async def ask() -> str:
        async with streamablehttp_client(server["url"]) as (read, write, _), ClientSession(read, write) as session:
            await session.initialize()
            tools = [tool.name for tool in (await session.list_tools()).tools]
            [name] = [tool for tool in tools if "write_copy" in tool]
            answer = await session.call_tool(name, {"product": "제습기", "values": ["뽀송함", "여유"], "count": 5})
            assert not answer.isError, answer
            return str(answer.content[0].text)

    assert HANGUL.search(asyncio.run(ask()))


def test_an_english_reader_finds_every_variable(page: serving.Page) -> None:
    korean, english = (page.folder / "README.md").read_text(encoding="utf-8").split("## English")
    variables = set(re.findall(r"`(HANJUL_[A-Z_]+|HF_TOKEN)`", korean))
    assert len(variables) >= 8
    assert variables == set(re.findall(r"`(HANJUL_[A-Z_]+|HF_TOKEN)`", english))
    known = (page.folder / "settings.py").read_text(encoding="utf-8")
    named = variables - {"HF_TOKEN", "HANJUL_JUDGE", "HANJUL_FEEDBACK"}  # put together from the names of fields there
    assert not [variable for variable in named if variable not in known]

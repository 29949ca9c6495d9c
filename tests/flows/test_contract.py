"""The API keeps its contract: no server errors, whatever is sent (P19)."""

import asyncio
import sys

import aiohttp
import pytest

from tests.flows.steps import staff_cookie

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHECKS = "not_a_server_error,content_type_conformance,response_schema_conformance"


async def cookie(http, answer_to, name: str) -> str:
    async with answer_to as answer:
        return f"{name}={answer.cookies[name].value}"


async def test_no_request_makes_the_server_fail(stack):
    await stack.new_day()
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        pairing = http.get(f"{stack.url}/demo/tv/karl-erik", allow_redirects=False)
        cookies = [
            await staff_cookie(stack, "eva"),
            await cookie(http, pairing, "__Host-telecare-tv"),
        ]

    run = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "run", f"{stack.url}/openapi.json",
        "-H", f"Origin: {stack.url}", "-H", f"Cookie: {'; '.join(cookies)}",
        "--checks", CHECKS, "--max-examples", "4", "--phases", "coverage,fuzzing",
        "--exclude-path", "/api/sign-out", "-w", "1",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await run.communicate()

    assert run.returncode == 0, output.decode()[-4000:]
    assert '"level": "error", "from": "telecare' not in (stack.folder / "server.log").read_text()

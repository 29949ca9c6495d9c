"""What the command line answers to what cannot be: a sentence with what to do, no stack."""

import asyncio
import os
import sys

import pytest

from tests.services.test_sequencer import files, kept, sequencer_database  # noqa: F401

NOWHERE = "postgresql:///telecare?host=/nowhere"
SOMEBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def environment(config, tmp_path):
    return {
        **os.environ,
        "TELECARE_DATABASE_URL": config.database_url,
        "TELECARE_PUBLIC_URL": "https://telecare.example",
        "TELECARE_LOG_KEY_DIR": str(tmp_path / "keys"),
    }  # fmt: skip


async def told(environment, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "telecare", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=environment,
    )  # fmt: skip
    said, _ = await process.communicate()
    return process.returncode, said.decode()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["audit", "key", "show", "nowhere"], "`telecare audit key new` makes the first"),
        (["audit", "key", "new", "../nowhere"], "begins with a letter"),
        (["tenant", "add", "A/b", "A", "--phone", "1"], "begins with a letter"),
        (["audit", "publish", "nowhere"], "No municipality has that short name"),
        (["staff", "invite", "nowhere", SOMEBODY], "No municipality is called nowhere."),
        (["audit", "reopen", "nowhere", "--decision", "1", "--by", "A"], "two different people"),
    ],
)
async def test_a_command_that_cannot_be_says_so_in_a_sentence(environment, arguments, sentence):
    code, said = await told(environment, *arguments)

    assert (code, sentence in said, '"trace"' in said) == (1, True, False)


async def test_a_key_is_never_made_outside_its_folder(environment, tmp_path):
    await told(environment, "audit", "key", "new", "../nowhere")

    assert list(tmp_path.rglob("*.key")) == []


async def test_a_database_that_is_not_there_is_told_in_a_sentence(environment):
    away = {**environment, "TELECARE_DATABASE_URL": NOWHERE}

    answers = await asyncio.gather(
        told(away, "migrate"), told(away, "audit", "verify", "nowhere", "--full")
    )

    assert [code for code, _ in answers] == [1, 2]
    assert all("Is PostgreSQL up" in said and '"trace"' not in said for _, said in answers)


async def test_a_municipality_is_added_once_and_nobody_unknown_is_invited(environment, kept):  # noqa: F811
    twice = await told(environment, "tenant", "add", kept.slug, "A", "--phone", "1")
    nobody = await told(environment, "staff", "invite", kept.slug, "Maria")

    assert twice == (1, f"telecare: A municipality is called {kept.slug} already.\n")
    assert nobody == (1, "telecare: Nobody with that id works there.\n")


async def test_a_page_that_cannot_be_written_is_told_of_and_a_written_one_too(
    environment, kept, tmp_path  # noqa: F811
):  # fmt: skip
    page = tmp_path / "head.html"
    await kept.go_on()
    await kept.sign()

    written = await told(environment, "audit", "publish", kept.slug, "--page", str(page))
    refused = await told(
        environment, "audit", "publish", kept.slug, "--page", str(tmp_path / "no" / "head.html")
    )

    assert (written, page.exists()) == ((0, f"{page}: the page for the diary\n"), True)
    assert (refused[0], "PageUnwritable" in refused[1], '"trace"' in refused[1]) == (1, True, False)

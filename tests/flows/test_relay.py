"""A municipality that hides addresses: every packet through coturn, credentials of ten minutes."""

import asyncio
import re
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
import pytest_asyncio

from telecare.runtime.embedded import process
from tests.flows.conftest import Windows, hears, sees, started

pytestmark = pytest.mark.asyncio(loop_scope="session")

TURNSERVER = shutil.which("turnserver")
SECRET = "only for this test"
PAIRS = """
async () => {
  const kinds = [];
  for (const peer of window.peers) {
    const stats = await peer.getStats();
    for (const [, r] of stats) {
      if (r.type === "candidate-pair" && r.nominated && r.state === "succeeded") {
        kinds.push(stats.get(r.localCandidateId).candidateType);
      }
    }
  }
  return kinds;
}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def relayed():
    if TURNSERVER is None:
        pytest.skip("coturn is not installed")
    folder = Path(tempfile.mkdtemp(prefix="telecare-relay-"))
    with (folder / "turn.log").open("ab") as output:
        turn = process.start(
            [
                TURNSERVER, "-n", "--use-auth-secret", f"--static-auth-secret={SECRET}",
                "--realm=telecare", "--listening-ip=10.99.0.1", "--relay-ip=10.99.0.1",
                "--listening-port=3478", "--no-tls", "--no-dtls", "--no-cli",
                f"--pidfile={folder / 'turn.pid'}", "--log-file=stdout",
            ],
            output=output,
        )  # fmt: skip
    stack = await started(
        folder,
        TELECARE_TURN_URLS="turn:10.99.0.1:3478?transport=udp",
        TELECARE_TURN_SECRET=SECRET,
    )
    await stack.rows("update tenant set relay_only = true")
    await stack.keep_state()
    try:
        yield stack
    finally:
        stack.stop()
        process.stop(turn, signal.SIGTERM, 10)
        shutil.rmtree(folder, ignore_errors=True)


async def test_a_visit_goes_through_the_relay_and_no_other_way(relayed, chromium):
    await relayed.new_day()
    windows = Windows(chromium, relayed.url)
    birgitta = await windows.tv()
    maria = await windows.staff()
    row = maria.locator("[data-test=visit]", has_text="Birgitta")

    await row.get_by_role("button", name="Ring").first.click()
    await birgitta.locator("[data-test=answer]").click()

    await asyncio.gather(sees(maria), sees(birgitta))
    await asyncio.gather(hears(maria), hears(birgitta))
    for page in (maria, birgitta):
        assert set(await page.evaluate(PAIRS)) == {"relay"}
    await windows.close()


async def test_a_home_unit_too_is_reached_through_the_relay_only(relayed, chromium):
    await relayed.new_day()
    windows = Windows(chromium, relayed.url)
    await relayed.start_home("ingrid")
    maria = await windows.staff()
    row = maria.locator("[data-test=visit]", has_text="Ingrid")

    await row.get_by_role("button", name="Ring").first.click()

    await sees(maria)
    assert set(await maria.evaluate(PAIRS)) == {"relay"}
    answers = await relayed.rows("select body from call_signal where kind = 'answer'")
    kinds = {kind for answer in answers for kind in re.findall(r"typ (\w+)", answer["body"])}
    assert kinds == {"relay"}
    await windows.close()

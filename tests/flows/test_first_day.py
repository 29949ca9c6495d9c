"""The first day: from an empty municipality to a visit that was held, by a unit head alone."""

import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
import pytest_asyncio

from telecare.runtime.clock import STOCKHOLM
from tests.flows.conftest import Windows, hears, remove, sees, started
from tests.flows.steps import with_authenticator

pytestmark = [pytest.mark.asyncio(loop_scope="session")]

SLUG = "nybo"
SECONDS_A_PRESS = 5
"""What a person who has not done it before takes for a press, with reading and typing."""
TEN_MINUTES_S = 600


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack():
    folder = Path(tempfile.mkdtemp(prefix="telecare-first-"))
    running = await started(folder, is_demo=False)
    try:
        yield running
    finally:
        running.stop()
        remove(folder)


@pytest_asyncio.fixture(loop_scope="session")
async def windows(stack, chromium):
    made = Windows(chromium, stack.url)
    yield made
    await made.close()
    assert made.errors == []


class Hand:
    """Presses and typed fields, counted."""

    def __init__(self, page):
        self.page, self.presses, self.typed = page, 0, 0

    async def press(self, where: str, **options) -> None:
        self.presses += 1
        await self.page.locator(where, **options).first.click()

    async def type(self, where: str, text: str) -> None:
        self.typed += 1
        await self.page.locator(where).first.fill(text)

    async def choose(self, where: str, label: str) -> None:
        self.presses += 2
        await self.page.locator(where).first.select_option(label=label)

    async def tick(self, name: str, value: str) -> None:
        self.presses += 1
        await self.page.locator(f"input[name={name}][value={value}]").check(force=True)

    @property
    def seconds(self) -> int:
        return (self.presses + self.typed) * SECONDS_A_PRESS


async def sign_in(windows, link: str, name: str):
    page = await with_authenticator(windows)
    await page.goto(link)
    await page.locator("[data-test=passkey]").click()
    await page.get_by_text(name).first.wait_for()
    return page


async def yes_from(hand: Hand, *, party: str | None = None) -> None:
    """Take down a yes to video visits on the form that is open."""
    if party:
        await hand.page.locator("label.opt", has_text=party).first.click()
        hand.presses += 1
    await hand.page.locator("[data-test=told]").wait_for()
    # At any hour: this server goes by the machine's clock.
    await hand.type("#from", "00:00")
    await hand.type("#to", "23:59")
    await hand.type("#present", "Eva Sjö")
    await hand.tick("will_shown", "spoken")
    await hand.tick("ability", "clear")
    await hand.press("[data-test=consent-save]")


async def first_insats(hand: Hand) -> None:
    await hand.press("a[href='/admin/lists']")
    await hand.type("[data-test=new-insats] [data-test=name]", "Tillsyn")
    await hand.press("[data-test=add-insats]")
    await hand.page.locator("[data-test=done]").wait_for()


async def registered(hand: Hand) -> None:
    """Elsa and her husband Sven."""
    await hand.press("a[href='/admin/people']")
    await hand.type("[data-test=new-person] [data-test=name]", "Elsa Nordin")
    await hand.type("[data-test=new-person] [data-test=national_id]", "19420308-9802")
    await hand.type("[data-test=new-person] [data-test=address]", "Björkgatan 4")
    await hand.type("[data-test=new-person] [data-test=to_know]", "Hör bäst på vänster öra")
    await hand.press("[data-test=new-person] [data-test=send]")
    await hand.page.locator("[data-test=done]").wait_for()
    await hand.press("summary", has_text="Lägg till en sammanboende")
    await hand.type("details[open] [data-test=name]", "Sven")
    await hand.type("details[open] [data-test=relation]", "make")
    await hand.press("[data-test=add-cohabitant]")
    await hand.page.locator("[data-test=cohabitant]").wait_for()


async def paired(windows, hand: Hand):
    """A TV in her home, by what it shows."""
    tv = await windows.new(viewport={"width": 1920, "height": 1080})
    await tv.goto(f"{windows.url}/tv")
    letters = (await tv.locator("[data-test=letters]").text_content()).strip()
    await hand.press("summary", has_text="Anslut en teve")
    await hand.type("[data-test=letters]", letters)
    await hand.press("[data-test=pair]")
    word = await hand.page.locator("[data-test=word] b").text_content()
    assert await tv.locator("[data-test=pair-word]").text_content() == word
    await tv.locator("[data-test=same]").click()
    await tv.locator("[data-test=home], [data-test=night]").first.wait_for()
    return tv


async def consented(hand: Hand) -> None:
    """She and her husband, while the head is on shift and has taken over."""
    await hand.page.goto(urljoin(hand.page.url, "/"))
    await hand.press("[data-test=begin-shift]")
    await hand.press("[data-test=nav-people]")
    await hand.press("[data-test=person] a", has_text="Elsa")
    await hand.press("[data-test=take-over]")
    for party in (None, "Sven"):
        await hand.press("[data-test=new-consent]")
        await yes_from(hand, party=party)


async def planned(hand: Hand) -> None:
    await hand.press("[data-test=plan]")
    soon = datetime.now(STOCKHOLM) + timedelta(minutes=1)
    await hand.type("#time", f"{soon:%H:%M}")
    await hand.type("#day", f"{soon:%Y-%m-%d}")
    await hand.choose("#staff", "Eva Sjö")
    await hand.press("[data-test=plan-save]")


async def test_a_unit_head_sets_up_a_resident_and_holds_a_visit_in_ten_minutes(stack, windows):
    link = await stack.telecare(
        "tenant", "add", SLUG, "Nybo kommun", "--phone", "021-1", "--head", "Eva Sjö"
    )
    eva = await sign_in(windows, link, "Eva Sjö")
    hand = Hand(eva)

    await hand.press("[data-test=nav-admin]")
    await first_insats(hand)
    await registered(hand)
    tv = await paired(windows, hand)
    await consented(hand)
    await planned(hand)
    await hand.press("[data-test=visit] button", has_text="Ring")
    await tv.locator("[data-test=answer]").click()
    await sees(eva)
    await hears(eva)
    await hand.press("[data-test=hang-up]")
    await hand.press("[data-test=outcome-all_well]")

    await stack.until("select 1 from visit where state = 'done'")
    print(f"{hand.presses} presses and {hand.typed} fields: {hand.seconds} s")  # noqa: T201
    assert hand.seconds < TEN_MINUTES_S


async def test_a_substitute_invited_in_the_evening_helps_minutes_later(stack, windows):
    link = await stack.telecare(
        "tenant", "add", "kvallsbo", "Kvällsbo kommun", "--phone", "021-1", "--head", "Sara Lind"
    )
    sara = await sign_in(windows, link, "Sara Lind")
    hand = Hand(sara)

    await hand.press("[data-test=nav-admin]")
    await hand.press("a[href='/admin/staff']")
    await hand.type("[data-test=new-staff] [data-test=name]", "Vera Vik")
    await hand.press("[data-test=new-staff] [data-test=send]")
    invited = await sara.locator("[data-test=link]").text_content()
    vera = await sign_in(windows, invited, "Vera Vik")
    await vera.locator("[data-test=begin-shift]").click()

    await stack.until(
        "select 1 from shift h join staff s on s.id = h.staff_id where s.name = 'Vera Vik'"
    )
    assert urlsplit(invited).fragment
    assert hand.seconds < 60
    again = await windows.new()
    await again.goto(invited)
    await again.locator("[data-test=passkey]").click()
    await again.get_by_text("Inbjudan").first.wait_for()
    sessions = await stack.rows(
        "select count(*) as n from session e join staff s on s.id = e.staff_id "
        "where s.name = 'Vera Vik'"
    )
    assert sessions == [{"n": 1}]

"""The integrity portal, page by page: readable, reachable, nothing cut, no script, on paper too."""

import os

import pytest

from telecare.demo.seed import HOMES, SLUG, STAFF
from tests.flows.conftest import sees
from tests.flows.look import MATRIX, staff_look
from tests.flows.steps import CAMERA, ended, live_call

INGRID = next(home for home in HOMES if home.key == "ingrid")
MARIA = next(person for person in STAFF if person.key == "maria")
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]


async def lena(windows, **options):
    """The reviewer, in her portal."""
    page = await windows.new(**options)
    await page.goto(windows.url)
    await page.get_by_role("button", name="Lena Ask").click()
    await page.locator("[data-test=search]").wait_for()
    return page


async def called(stack, windows) -> str:
    """Maria has seen Ingrid; the call."""
    maria = await windows.staff()
    row = maria.locator("[data-test=visit]", has_text="Ingrid")
    await row.locator("[data-test=ring]").first.click()
    await sees(maria)
    call = await live_call(stack)
    await stack.until(CAMERA, call, True)
    await maria.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")
    await stack.until(CAMERA, call, False)
    return call


async def signed(stack) -> None:
    await stack.until("select 1 from audit.checkpoint")


SENT = """
with head as (select tenant_id, log, size, signed_at from audit.checkpoint order by size limit 1),
stamped as (
    insert into audit.stamp (tenant_id, log, size, authority, token, stamped_at, received_at)
    select tenant_id, log, size, 'Provstämpeln, Förvaltningen för kvalificerade tjänster', '\\x00',
        signed_at, signed_at
    from head
    on conflict do nothing
)
insert into audit.mailing (tenant_id, place, day, attempts, next_at, log, size, sent_at)
select tenant_id, sha256(place::bytea), signed_at::date, 1, signed_at,
    case when place <> 'c' then log end, case when place <> 'c' then size end,
    case when place <> 'c' then signed_at end
from head cross join unnest(array['a', 'b', 'c']) as place
on conflict do nothing
"""


async def sent_out(stack) -> None:
    """The seal has gone to two of three addresses, and to an authority."""
    await stack.rows(SENT)


APPROVED = "update staff_data_decision set approved_by = $1, approved_at = proposed_at"


async def staffs_own_data(stack, windows, page, look):
    """The decision is noted, and a file with a row at fault sent in."""
    await page.goto(f"{windows.url}/audit/staff-data")
    await page.locator("[data-test=off]").wait_for()
    for rule in ("same_address", "registered_relative", "outside_roster"):
        await page.locator(f"[data-test={rule}]").check()
    await page.locator("[data-test=number]").fill("OMS 2026/77")
    await page.locator("[data-test=decided-on]").fill("2026-10-01")
    await page.locator("[data-test=law]").fill("SoLPuL 10 §, DSF art. 6.1 e")
    await page.locator("[data-test=consulted]").fill("MBL 11 § med Kommunal 2026-09-12")
    await look.at(page, "audit-staff-data-new")
    await page.locator("[data-test=send]").click()
    await page.locator("[data-state=proposed]").wait_for()
    await stack.rows(APPROVED, MARIA.id)
    await page.reload()
    file = {"name": "a.csv", "mimeType": "text/csv", "buffer": b"id;adress\r\nx;y 1"}
    await page.locator("[data-rule=same_address] [data-test=file]").set_input_files(file)
    await page.locator("[data-rule=same_address] [data-test=send-file]").click()
    await page.locator("[data-code=staff_row_unknown]").wait_for()
    await look.at(page, "audit-staff-data")


@pytest.mark.parametrize(("language", "which"), MATRIX)
async def test_whoever_reviews_can_read_and_reach_everything(
    stack, windows, in_language, language, which
):
    await in_language(language)
    look = staff_look(language, which)
    call = await called(stack, windows)
    await signed(stack)
    await sent_out(stack)
    page = await lena(windows)

    await look.at(page, "audit-search")
    await page.locator("[data-test=resident]").fill("Ingrid")
    await page.locator("[data-test=staff]").fill("Maria")
    await page.locator("[data-test=send]").click()
    await page.locator("[data-test=event]").first.wait_for()
    await look.at(page, "audit-found")
    await page.locator("[data-event='call.rung'] [data-test=open]").first.click()
    await page.locator("[data-test=place]").wait_for()
    await look.at(page, "audit-record")
    await page.goto(f"{windows.url}/audit/residents/{INGRID.id}")
    await page.locator("[data-test=no-gap]").wait_for()
    await look.at(page, "audit-person")
    await page.goto(f"{windows.url}/audit/staff/{MARIA.id}")
    await look.at(page, "audit-staff")
    await page.goto(f"{windows.url}/audit/calls/{call}")
    await page.locator("[data-test=compared]").first.wait_for()
    await look.at(page, "audit-story")
    await page.goto(f"{windows.url}/audit/consents")
    await look.at(page, "audit-consents-find")
    await page.goto(f"{windows.url}/audit/consents?resident={INGRID.id}&known=now")
    await page.locator("[data-test=consent]").first.wait_for()
    await look.at(page, "audit-consents")
    await page.goto(f"{windows.url}/audit/verify")
    await page.locator("[data-test=check]").click()
    await page.locator("[data-test=verdict]").wait_for()
    for place in ("stamped", "mailed"):
        await page.locator(f"[data-test={place}]").wait_for()
    await look.at(page, "audit-verify")
    await staffs_own_data(stack, windows, page, look)

    assert look.faults == []


WHY = "Hon svarar inte, och grannen såg att dörren står öppen."


@pytest.mark.parametrize(("language", "which"), MATRIX)
async def test_an_opening_in_an_emergency_is_made_reviewed_and_told(
    day, stack, windows, in_language, language, which
):
    """From the closed card to the letter."""
    await in_language(language)
    look, desk = staff_look(language, which), staff_look(language, which)
    anna = await windows.staff("Anna Berg")
    await anna.goto(f"{windows.url}/#/people/{INGRID.id}")
    await anna.locator("[data-test=anyway]").click()
    await anna.locator("[data-test=anyway-form]").wait_for()
    await look.at(anna, "anyway")
    await anna.locator("[data-test=anyway-open]").click()
    await anna.locator("[data-test=faults]").wait_for()
    await look.at(anna, "anyway-faults")
    await anna.locator("[name=kind][value=no_answer_twice]").check()
    await anna.locator("#reason").fill(WHY)
    await anna.locator("[data-test=anyway-open]").click()
    await anna.locator("[data-test=opened-until]").wait_for()
    await look.at(anna, "anyway-card")
    await anna.locator("[data-test=close-opened]").click()
    await anna.locator("[data-test=person]").first.wait_for()

    await signed(stack)
    page = await lena(windows)
    await page.goto(f"{windows.url}/audit/reviews")
    await desk.at(page, "audit-reviews")
    await page.locator("[data-test=opening] [data-test=open]").click()
    await page.locator("[data-rule=break_glass]").wait_for()
    await desk.at(page, "audit-item")
    await page.locator("[data-test=unjustified]").click()
    await page.locator("[data-test=refused]").wait_for()
    await page.locator("#comment").fill("Det behövdes.")
    await page.locator("[data-test=justified]").click()
    await page.locator("[data-test=no-openings]").wait_for()
    item = await stack.until("select id from review_item where outcome = 'justified'")
    await page.goto(f"{windows.url}/audit/items/{item[0]['id']}")
    await desk.at(page, "audit-item-judged")
    await page.locator("[data-test=letter]").click()
    await page.locator(".letter").wait_for()
    await desk.at(page, "audit-letter")

    assert look.faults + desk.faults == []


CAMERA_ALONE = """
insert into finding (tenant_id, id, kind, key, resident_id, what, found_at)
select tenant_id, gen_random_uuid(), 'camera_without_record', 'prov/1', id,
    '{"number": 1, "at": "2026-11-23T08:00:00+00:00"}', '2026-11-23T09:00:00Z'
from resident where id = $1
"""


@pytest.mark.parametrize(("language", "which"), MATRIX)
async def test_what_does_not_fit_becomes_a_case_that_is_decided_and_closed(
    day, stack, windows, in_language, language, which
):
    await in_language(language)
    look = staff_look(language, which)
    page = await lena(windows)
    await page.goto(f"{windows.url}/audit/findings")
    await page.locator("[data-test=compare]").click()
    await page.locator("[data-test=compared]").wait_for()
    await stack.rows(CAMERA_ALONE, INGRID.id)
    await page.reload()
    found = page.locator("[data-kind=camera_without_record]")
    for summary in await found.locator("summary").all():
        await summary.click()
    await look.at(page, "audit-findings")
    await found.locator("[data-test=incident-open]").click()
    await page.locator("[data-test=clock]").wait_for()
    await look.at(page, "audit-incident")
    await page.locator("[data-test=close]").click()
    await page.locator("[data-code=incident_not_done]").wait_for()
    await page.locator("[name=decision][value=notify]").check()
    await page.locator("#reason").fill("Kameran var på utan grund.")
    await page.locator("[data-test=decide] button").click()
    await page.locator("#diary_number").fill("2026-311")
    await page.locator("[data-test=notify] button").click()
    await page.locator("[data-test=notified]").wait_for()
    await page.locator("[name=whether][value=told]").check()
    await page.locator("#how").fill("Brev till Ingrid.")
    await page.locator("[data-test=tell] button").click()
    await page.locator("[data-test=told]").wait_for()
    await page.locator("[data-test=close]").click()
    await page.locator("[data-test=closed]").wait_for()
    await look.at(page, "audit-incident-closed")
    await page.goto(f"{windows.url}/audit/findings")
    await look.at(page, "audit-findings-after")

    assert look.faults == []


@pytest.mark.parametrize(("language", "which"), MATRIX)
async def test_whoever_answers_a_request_can_read_and_reach_everything(
    stack, windows, in_language, language, which
):
    await in_language(language)
    look = staff_look(language, which)
    page = await lena(windows)

    await page.goto(f"{windows.url}/audit/requests")
    await look.at(page, "audit-requests-none")
    await page.locator("[data-test=new]").click()
    await look.at(page, "audit-request-find")
    await page.goto(f"{windows.url}/audit/requests/new?resident={INGRID.id}")
    await page.locator("[data-test=diary_number]").fill(f"2026-{language}{which}"[:30])
    await page.locator("[data-test=asked_by]").fill("Ingrid Lindqvist")
    await page.locator("[data-test=send]").click()
    await page.locator("[data-test=refused]").wait_for()
    await look.at(page, "audit-request-refused")
    await page.locator("[data-test=capacity]").select_option("self")
    await page.locator("[data-test=due_on]").fill("2026-11-01")
    await page.locator("[data-test=received_on]").fill("2026-10-01")
    await page.locator("[data-test=send]").click()
    await page.locator("[data-test=tests]").wait_for()
    request = page.url
    await page.locator("[data-place=actor] summary").click()
    await look.at(page, "audit-request")
    await page.locator("[data-place=actor] [data-test=answer]").select_option("withhold")
    await page.locator("[data-place=actor] [data-test=reason]").fill("Hot mot personal")
    await page.locator("[data-place=actor] [data-test=save]").click()
    await page.locator("[data-place=actor][data-given=false]").wait_for()
    await page.goto(f"{windows.url}/audit/requests")
    await look.at(page, "audit-requests")
    await page.goto(request)
    await page.locator("[data-test=decide] [data-test=reason]").fill("Uppgifter om andra")
    await page.locator("[data-test=decide-button]").click()
    await page.locator("[data-test=package]").wait_for(timeout=30_000)
    await look.at(page, "audit-request-decided")
    async with page.expect_download() as fetched:
        await page.locator("[data-test=package]").click()
    await keep(fetched, "utdrag.zip")
    await page.goto(f"{request}/letter")
    await page.locator("[data-test=appeal]").wait_for()
    await look.at(page, "audit-letter")

    assert look.faults == []


async def keep(fetched, name: str) -> None:
    """Beside the pictures, to be looked at."""
    if folder := os.environ.get("TELECARE_KEEP_PICTURES"):
        await (await fetched.value).save_as(f"{folder}/{name}")
    else:
        await fetched.value


@pytest.mark.parametrize(("language", "which"), MATRIX)
async def test_what_is_refused_and_what_is_broken_can_be_read_too(
    stack, windows, in_language, language, which
):
    await in_language(language)
    look = staff_look(language, which)
    await signed(stack)
    page = await lena(windows)
    await page.locator("[data-test=since]").fill("2026-11-23T10:00")
    await page.locator("[data-test=until]").fill("2026-11-22T10:00")
    await page.locator("[data-test=send]").click()
    await page.locator("[data-test=refused]").wait_for()
    await look.at(page, "audit-refused")
    await page.goto(f"{windows.url}/audit/residents/{INGRID.id}?below=1")
    await look.at(page, "audit-no-page")
    entry = await alter_a_ground(stack)
    try:
        await page.goto(f"{windows.url}/audit/verify")
        await page.locator("[data-test=check]").click()
        await page.locator("[data-verdict=broken]").wait_for()
        await look.at(page, "audit-broken")
    finally:
        await put_back(stack, entry)

    assert look.faults == []


ALTER = """
update audit.body set basis = '{"board":"En annan nämnd"}'
where entry_id = (select max(entry_id) from audit.body where event = 'consent.given')
returning entry_id, (select b.basis from audit.body b where b.entry_id = body.entry_id) as basis
"""
OFF = "set session_replication_role = replica"


async def alter_a_ground(stack):
    async with stack._superuser() as database:
        await database.execute(OFF)
        return await database.fetchrow(ALTER)


async def put_back(stack, altered) -> None:
    async with stack._superuser() as database:
        await database.execute(OFF)
        await database.execute(
            "update audit.body set basis = $2 where entry_id = $1",
            altered["entry_id"], altered["basis"],
        )  # fmt: skip


async def test_everything_works_without_a_script_and_no_name_is_in_an_address(windows):
    page = await lena(windows, java_script_enabled=False)
    await page.locator("[data-test=resident]").fill("Lindqvist")
    await page.locator("[data-test=send]").click()
    await page.locator("[data-test=found] a").first.click()
    await page.locator("[data-test=no-gap]").wait_for()
    await page.locator("[data-test=consents]").click()
    await page.locator("[data-test=held]").wait_for()
    await page.locator("[data-test=sign-out]").click()
    await page.get_by_role("button", name="Lena Ask").wait_for()

    assert [url for url in windows.urls if "indqvist" in url.lower()] == []


async def test_a_timeline_goes_on_paper_without_its_buttons(windows):
    page = await lena(windows)
    await page.goto(f"{windows.url}/audit/residents/{INGRID.id}")
    await page.emulate_media(media="print")

    assert await page.locator(".pills").is_hidden()
    assert await page.locator("[data-test=span]").is_hidden()
    assert await page.locator("[data-test=event]").first.is_visible()
    assert await page.locator("[data-test=no-gap]").is_visible()


@pytest.mark.parametrize("width", [718, 320])
async def test_on_paper_a_record_is_a_line_however_narrow_the_window_is(windows, width):
    """718 px is an A4 page with its margins."""
    page = await lena(windows)
    await page.goto(f"{windows.url}/audit/residents/{INGRID.id}")
    await page.set_viewport_size({"width": width, "height": 1000})
    await page.emulate_media(media="print")

    first = page.locator("[data-test=event]").first
    time, number = (
        await first.locator("time").bounding_box(),
        await first.locator(".nr").bounding_box(),
    )

    assert abs(time["y"] - number["y"]) < time["height"]


@pytest.mark.parametrize(("language", "which"), MATRIX)
async def test_what_is_erased_and_what_is_held_can_be_read_and_decided(
    stack, windows, in_language, language, which
):
    await in_language(language)
    look = staff_look(language, which)
    await signed(stack)
    page = await lena(windows)
    await page.goto(f"{windows.url}/audit/residents/{INGRID.id}")
    await page.locator("[data-test=hold]").click()
    await page.locator("[data-test=propose]").wait_for()
    await page.locator("[data-test=decision]").fill("2026/31")
    await page.locator("[data-test=reason]").fill("Tvist om en tillsyn")
    await page.locator("[data-test=send]").click()
    await page.locator("[data-test=hold]").first.wait_for()
    await erased(stack)
    await page.reload()
    await page.locator("[data-test=erasure]").first.wait_for()
    await look.at(page, "audit-keeping")
    await page.locator("[data-test=send]").scroll_into_view_if_needed()
    await page.locator("[data-test=decision]").fill("2026/32")
    await page.locator("[data-test=reason]").fill("Utan vad det gäller")
    await page.locator("[data-test=send]").click()
    await page.locator("[data-test=refused]").wait_for()
    await look.at(page, "audit-keeping-refused")
    for _ in range(await page.locator("[data-test=decline]").count()):
        await page.locator("[data-test=decline]").first.click()
        await page.locator("[data-test=propose]").wait_for()
    entry = await first_erased(stack)
    await page.goto(f"{windows.url}/audit/records/{entry}")
    await page.locator("[data-test=erased]").wait_for()
    await look.at(page, "audit-erased")

    assert look.faults == []


NOT_HERS = """
select l.log, l.leaf_index
from audit.leaf l join audit.body b using (tenant_id, entry_id)
where b.event = 'session.begun' order by l.leaf_index limit 1
"""
FIRST_ERASED = """
select e.entry_id from audit.entry e
where not exists (select from audit.body b where b.entry_id = e.entry_id)
order by e.entry_id limit 1
"""


async def erased(stack) -> None:
    """Two people have had a record erased that no hold covers."""
    from telecare.integrity.erasing import Named, erase, order  # noqa: PLC0415
    from telecare.runtime.config import Config  # noqa: PLC0415

    async with stack._superuser() as database:
        place = await database.fetchrow(NOT_HERS)
    config = Config.from_environment(stack.environment)
    given = order("2026/14", "GDPR art. 17", "Eva Sjö", "Karin Ek", "root")
    named = Named.read([f"{place['log']}/{place['leaf_index']}"], "", [])
    await erase(config, SLUG, named, given)


async def first_erased(stack) -> int:
    async with stack._superuser() as database:
        return await database.fetchval(FIRST_ERASED)

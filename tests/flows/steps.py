"""What people do, and how a test knows how it ended."""

import aiohttp

from telecare.access.http import STAFF_COOKIE
from telecare.demo import seed

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
CALL = "select id, state, end_reason from call where state <> 'ended'"
OPENED = """
select 1 from audit.body
where event = 'call.opened' and what::jsonb ->> 'call_id' = $1::text
"""
WENT_DARK = """
select 1 from audit.body
where event = 'call.went_dark' and what::jsonb ->> 'call_id' = $1::text
"""
CAMERA = """
select what::jsonb ->> 'reason' as reason from audit.body
where event = 'camera.turned' and what::jsonb ->> 'call_id' = $1::text
  and (what::jsonb ->> 'on')::boolean = $2
"""


async def ring(page, name: str) -> None:
    """Press Ring on a person's row."""
    row = page.locator("[data-test=visit]", has_text=name)
    await row.get_by_role("button", name="Ring").first.click()


async def ended(stack, reason: str) -> None:
    await stack.until(
        """
        select 1 from (select end_reason from call order by created_at desc limit 1) newest
        where end_reason = $1
        """,
        reason,
    )


async def live_call(stack) -> str:
    """The only call there is, as text."""
    calls = await stack.until(CALL)
    assert len(calls) == 1
    return str(calls[0]["id"])


async def renewed(stack, call: str, times: int = 5) -> None:
    """The call's lease has been renewed so many times more: longer than any one lease lasts."""
    lease = "select n from call_lease where call_id = $1::uuid"
    before = (await stack.rows(lease, call))[0]["n"]
    await stack.until(f"{lease} and n >= $2", call, before + times)


async def staff_cookie(stack, key: str) -> str:
    """Somebody signed in, outside any browser: her cookie as a header."""
    person = next(one for one in seed.STAFF if one.key == key)
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
        http.post(
            f"{stack.url}/sign-in/demo",
            data={"staff_id": str(person.id)},
            headers={"Origin": stack.url},
            allow_redirects=False,
        ) as answer,
    ):
        return f"{STAFF_COOKIE}={answer.cookies[STAFF_COOKIE].value}"


async def with_authenticator(windows):
    """A window whose browser has somebody's finger."""
    page = await windows.new()
    session = await page.context.new_cdp_session(page)
    await session.send("WebAuthn.enable")
    await session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return page

"""A municipality as it ships: consent by the person herself and by a cohabitant whose data are
touched, no stand-in (architecture §1.15). All of it is dated rows that its lawyers may change."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from telecare.access import store as access_store
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import Actor, Record, actor_text
from telecare.consent import store as consent_store
from telecare.consent.model import Policy, Purpose
from telecare.runtime.db import Transaction
from telecare.wire.ids import TenantId, new_row_id
from telecare.wire.signalling import Language

TALKING: Mapping[Language, str] = {
    "sv": "Personalen kan se och höra dig i videosamtalet. Ingenting sparas. Du kan alltid ta "
    "tillbaka ditt ja.",
    "fi": "Henkilökunta näkee ja kuulee sinut videopuhelussa. Mitään ei tallenneta. Voit aina "
    "perua suostumuksesi.",
    "en": "Staff can see and hear you in the video call. Nothing is kept. You can always take "
    "back your yes.",
}
LOOKING: Mapping[Language, str] = {
    "sv": "På natten ser personalen till dig med en kamera i stället för att gå in. De ser dig en "
    "kort stund, på de tider som du har sagt ja till. Ingenting sparas, och varje gång antecknas. "
    "Du kan pausa för en natt, och alltid ta tillbaka ditt ja.",
    "fi": "Yöllä henkilökunta katsoo kameralla, että sinulla on kaikki hyvin, eikä tule sisään. He "
    "näkevät sinut lyhyen hetken aikoina, joihin olet suostunut. Mitään ei tallenneta, ja jokainen "
    "katsominen kirjataan. Voit pitää tauon yhden yön ja aina perua suostumuksesi.",
    "en": "At night staff see to you by a camera instead of coming in. They see you for a short "
    "while, at the times you have said yes to. Nothing is kept, and every look is noted. You can "
    "pause for a night, and always take back your yes.",
}
INFORMATION: Mapping[Purpose, Mapping[Language, str]] = {
    Purpose.VIDEO_VISIT: TALKING,
    Purpose.AUTO_ANSWER: TALKING,
    Purpose.CAMERA_CHECK: LOOKING,
}
REVIEW_MONTHS: Mapping[Purpose, int] = {
    Purpose.VIDEO_VISIT: 12,
    Purpose.AUTO_ANSWER: 12,
    Purpose.CAMERA_CHECK: 6,
}


async def add_tenant(
    db: Transaction,
    *,
    slug: str,
    name: str,
    phone: str,
    actor: Actor,
    now: datetime,
    relay_only: bool = False,
) -> TenantId:
    """A municipality with the policies that ship (architecture §1.15); enters it."""
    tenant = await access_store.add_tenant(
        db, slug=slug, name=name, language="sv", phone=phone, relay_only=relay_only, now=now
    )
    await db.enter(tenant, actor_text(actor))
    await append(db, Record(Action.TENANT_ADDED, actor, what={"slug": slug}))
    for purpose in Purpose:
        policy = Policy(
            id="",
            purpose=purpose,
            parties=frozenset({"resident", "cohabitant"}),
            stand_ins=frozenset(),
            yes_comes_by=frozenset(
                {"in_person", "paper", "phone"}
                if purpose is Purpose.VIDEO_VISIT
                else {"in_person", "paper"}
            ),
            objection_pauses=False,
            review_months=REVIEW_MONTHS[purpose],
            board="Äldrenämnden",
            law="SoL",
            record_domain="SoL",
        )
        await consent_store.add_policy(db, new_row_id(now), policy, now - timedelta(days=1))
        for language, body in INFORMATION[purpose].items():
            await consent_store.add_information(
                db, purpose, version=1, language=language, body=body, now=now
            )
    return tenant

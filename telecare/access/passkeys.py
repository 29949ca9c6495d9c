"""Passkeys (W3C Web Authentication level 2): invitations register one, staff sign in with it.

Ceremonies are checked by the library `webauthn`; here is what is kept and for how long.
"""

import json
from datetime import timedelta
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import InvalidAuthenticationResponse, InvalidRegistrationResponse
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from telecare.access import store
from telecare.access.errors import InvitationExpired, SignInFailed
from telecare.access.model import INVITATION_LIMIT
from telecare.access.service import SIGN_IN_LIMIT, begin_session, count_try, new_token, token_hash
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import Actor, NobodyYet, Record
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound
from telecare.wire.ids import StaffId

CHALLENGE_LIMIT = timedelta(minutes=5)
NAME = "Telecare"


async def invite(db: Transaction, staff_id: StaffId, actor: Actor, clock: Clock) -> str:
    """A one-time link's token, valid 72 hours; kept as a hash. Recorded."""
    now = clock.now()
    if await store.staff(db, staff_id, now) is None:
        raise NotFound
    token = new_token()
    await store.invite(db, token_hash(token), staff_id, now + INVITATION_LIMIT)
    await append(db, Record(Action.INVITATION_MADE, actor, what={"staff_id": str(staff_id)}))
    return token


class Passkeys:
    """`public_url` is the address passkeys are bound to (its host is the relying party)."""

    def __init__(self, database: Database, clock: Clock, public_url: str) -> None:
        self._database = database
        self._clock = clock
        self._origin = public_url
        self._host = urlsplit(public_url).hostname or "localhost"

    async def begin_registration(self, invitation: str, ceremony: str) -> str:
        """WebAuthn creation options as JSON. Raises InvitationExpired."""
        now = self._clock.now()
        async with self._database.across_tenants() as db:
            found = await store.invitation_of(db, token_hash(invitation))
            if found is None or found.used_at is not None or now >= found.expires_at:
                raise InvitationExpired
            db.tenant = found.tenant
            person = await store.staff(db, found.staff_id, now)
            if person is None:
                raise InvitationExpired
            options = generate_registration_options(
                rp_id=self._host,
                rp_name=NAME,
                user_id=found.staff_id.bytes,
                user_name=person.name,
                authenticator_selection=AuthenticatorSelectionCriteria(
                    resident_key=ResidentKeyRequirement.REQUIRED,
                    user_verification=UserVerificationRequirement.REQUIRED,
                ),
            )
            await self._keep(db, ceremony, options.challenge)
        return options_to_json(options)

    async def finish_registration(self, invitation: str, ceremony: str, credential: str) -> str:
        """Keeps the passkey, uses the invitation up, and signs in; the session's token."""
        now = self._clock.now()
        challenge = await self._taken(ceremony)
        try:
            verified = verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except (InvalidRegistrationResponse, ValueError) as error:
            raise SignInFailed from error
        async with self._database.across_tenants() as db:
            found = await store.invitation_of(db, token_hash(invitation))
            if found is None or found.used_at is not None or now >= found.expires_at:
                raise InvitationExpired
            await db.enter(found.tenant, "")
            await store.use_invitation(db, token_hash(invitation), now)
            await store.add_passkey(
                db,
                found.staff_id,
                credential_id=verified.credential_id,
                public_key=verified.credential_public_key,
                sign_count=verified.sign_count,
                now=now,
            )
            what = {"staff_id": str(found.staff_id)}
            await append(db, Record(Action.PASSKEY_REGISTERED, NobodyYet(), what=what))
            return await begin_session(db, found.staff_id, "passkey", now)

    async def begin_sign_in(self, ceremony: str, address: str) -> str:
        """WebAuthn request options as JSON. Raises RateLimited."""
        await count_try(self._database, SIGN_IN_LIMIT, address, self._clock.now())
        options = generate_authentication_options(
            rp_id=self._host, user_verification=UserVerificationRequirement.REQUIRED
        )
        async with self._database.across_tenants() as db:
            await self._keep(db, ceremony, options.challenge)
        return options_to_json(options)

    async def finish_sign_in(self, ceremony: str, credential: str) -> str:
        """A session's token. Raises SignInFailed whatever was wrong, without saying what."""
        now = self._clock.now()
        challenge = await self._taken(ceremony)
        try:
            credential_id = base64url_to_bytes(json.loads(credential)["rawId"])
        except (ValueError, KeyError, TypeError) as error:
            raise SignInFailed from error
        async with self._database.across_tenants() as db:
            passkey = await store.passkey_of(db, credential_id)
            if passkey is None:
                raise SignInFailed
            await db.enter(passkey.tenant, "")
            try:
                verified = verify_authentication_response(
                    credential=credential,
                    expected_challenge=challenge,
                    expected_rp_id=self._host,
                    expected_origin=self._origin,
                    credential_public_key=passkey.public_key,
                    credential_current_sign_count=passkey.sign_count,
                    require_user_verification=True,
                )
            except (InvalidAuthenticationResponse, ValueError) as error:
                raise SignInFailed from error
            await store.passkey_used(db, credential_id, verified.new_sign_count)
            return await begin_session(db, passkey.staff_id, "passkey", now)

    async def _keep(self, db: Transaction, ceremony: str, challenge: bytes) -> None:
        now = self._clock.now()
        await store.keep_challenge(
            db, token_hash(ceremony), challenge, now=now, until=now + CHALLENGE_LIMIT
        )

    async def _taken(self, ceremony: str) -> bytes:
        async with self._database.across_tenants() as db:
            challenge = await store.take_challenge(db, token_hash(ceremony), self._clock.now())
        if challenge is None:
            raise SignInFailed
        return challenge

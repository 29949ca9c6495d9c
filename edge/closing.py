"""Has the server closed this unit? Asked by HTTPS when the broker does not let it in any more: a
closed unit's certificate is refused before anything can be told (docs/decisions/0021).

Only the server's proof counts, made with this unit's own key over what the unit has asked: neither
a broker that refuses nor whoever answers in the server's place can wipe a home.
"""

import logging
import secrets

import aiohttp
from pydantic import BaseModel, ValidationError

from edge import certificate
from edge.identity import Identity, to_text
from telecare.wire import seal
from telecare.wire.edge import ClosedAnswer, ClosedQuestion, WipedNotice

log = logging.getLogger(__name__)

CHALLENGE_BYTES = 32
ASK_TIMEOUT_S = 20
ASK_AGAIN_S = 600
MAX_ANSWER_BYTES = 4_096


async def is_closed(identity: Identity) -> bool:
    """False also when nobody answers, or cannot prove it."""
    question = ClosedQuestion(challenge=to_text(secrets.token_bytes(CHALLENGE_BYTES)))
    try:
        answer = ClosedAnswer.model_validate_json(await _post(identity, "closed", question))
    except (aiohttp.ClientError, TimeoutError, FileNotFoundError, ValidationError):
        return False
    if not seal.is_proof(
        answer.proof, identity.mac_key, "closed", identity.unit, question.challenge
    ):
        log.error("somebody without this unit's key says that it is closed")
        return False
    return True


async def say_wiped(identity: Identity) -> None:
    """Its last word; lost, the server does not know, and nothing else is changed."""
    challenge = to_text(secrets.token_bytes(CHALLENGE_BYTES))
    proof = seal.proof(identity.mac_key, "wiped", identity.unit, challenge)
    try:
        await _post(identity, "wiped", WipedNotice(challenge=challenge, proof=proof))
    except (aiohttp.ClientError, TimeoutError, FileNotFoundError) as error:
        log.warning("wiping could not be told", extra={"reason": type(error).__name__})


async def _post(identity: Identity, what: str, body: BaseModel) -> bytes:
    """FileNotFoundError: this unit has no certificate, and so nobody refuses it one."""
    server_url = (identity.folder / certificate.FOLDER / certificate.SERVER_FILE).read_text()
    async with (
        aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=ASK_TIMEOUT_S), raise_for_status=True
        ) as session,
        session.post(
            f"{server_url}/api/units/{identity.unit}/{what}",
            data=body.model_dump_json(),
            headers={"Content-Type": "application/json"},
            allow_redirects=False,
        ) as response,
    ):
        return await response.content.read(MAX_ANSWER_BYTES)

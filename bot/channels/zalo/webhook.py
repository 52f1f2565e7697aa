"""Let in only webhooks that Zalo signed, and tell its unsigned probe from a forgery."""

from collections.abc import Mapping
from datetime import datetime

from bot.channels.channel import RawEvent, VerificationError
from bot.channels.zalo.envelope import account_of, routed
from bot.channels.zalo.payload import id_of, read_object
from bot.channels.zalo.signature import HEADER, verify_signature


def verified_event(
    headers: Mapping[str, str], body: bytes, app_id: str, default_key: str, keys: Mapping[str, str], now: datetime
) -> RawEvent | None:
    """Return the facts of a signed webhook, or None for the probe `{}` that Zalo sends when the address is saved.

    `keys` maps OA ids to their own OA Secret Key: such an account is checked with its own key alone, any other with
    `default_key` and all of them (whether the key belongs to the app or to the OA is disputed, api.md 1.3). There is
    no check of freshness: Zalo repeats an event with its first timestamp for almost two hours.

    Raises VerificationError (no_signature, no_key, bad_signature) and ValueError for a body that is no JSON object.
    """
    data = read_object(body)
    if not data:
        return None
    # Requests look names up in any case; plain mappings need the search.
    header = headers.get(HEADER) or next((value for name, value in headers.items() if name.lower() == HEADER), "")
    if not header:
        raise VerificationError("no_signature")
    account = account_of(data)
    own = keys.get(account)
    candidates = (own,) if own else tuple(key for key in dict.fromkeys((default_key, *keys.values())) if key)
    if not candidates:
        raise VerificationError("no_key")
    # Some template events may come without app_id; it is ours, then.
    signed_app, timestamp = id_of(data.get("app_id")) or app_id, id_of(data.get("timestamp"))
    if not verify_signature(signed_app, timestamp, body, header, candidates):
        raise VerificationError("bad_signature")
    return routed(data, account, body, now)

"""What the outside saw, of every provider in one shape: what was offered to us, what was written, what we sent."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.simulator.model import Json
from tests.simulator.simulator import Simulator


@dataclass(frozen=True, slots=True)
class Offered:
    """One webhook with its attempts (`at_ms`, `status`, `took_ms`); of twins one is enough."""

    raw: bytes
    state: str
    attempts: list[Json]


@dataclass(frozen=True, slots=True)
class Said:
    """One message on a phone; `id` as the service names it, `shown` all its words, `typed` by staff by hand."""

    id: str
    account: str
    person: str
    from_us: bool
    kind: str
    text: str
    shown: str
    typed: bool = False
    received: bool = False


def offered(simulator: Simulator) -> list[Offered]:
    """Return everything that was offered to the service."""
    webhooks = [Offered(d.body.encode(), d.state, d.attempts) for d in simulator.provider.webhooks.deliveries]
    return webhooks + [Offered(u.raw(), u.state, u.attempts) for u in simulator.telegram.updates.log]


def under_way(simulator: Simulator) -> Counter[str]:
    """Return how many webhooks are still on their way, by their state."""
    return Counter(o.state for o in offered(simulator) if o.state in {"sending", "waiting", "held"})


def said(simulator: Simulator) -> dict[str, Said]:
    """Return every message on every phone by the id under which the service knows it."""
    return {message.id: message for message in (*_on_zalo(simulator), *_on_telegram(simulator))}


def _on_zalo(simulator: Simulator) -> Iterator[Said]:
    for m in simulator.provider.world.messages.values():
        shown = " ".join([m.text, *(str(e.get("title", "")) for e in m.elements)])
        yield Said(
            m.msg_id, m.oa_id, m.user_id, m.from_oa, m.kind, m.text, shown, typed=bool(m.admin_id),
            received=bool(m.received_ms),
        )  # fmt: skip


def _on_telegram(simulator: Simulator) -> Iterator[Said]:
    world = simulator.telegram.world
    for chat in world.chats.values():
        for m in world.thread(chat):
            if m.kind != "service":
                number = telegram_id(chat.chat_id, m.message_id)
                yield Said(number, str(chat.bot_id), str(chat.chat_id), m.from_bot, m.kind, m.text, m.text)


def telegram_id(chat_id: int | str, number: int | str) -> str:
    """Return the id by which the service knows a message that Telegram numbers per chat."""
    return f"{chat_id}:{number}"


def journal(simulator: Simulator) -> Counter[str]:
    """Return how often the providers noted the delivery of each message."""
    sent = Counter(c.msg_id for c in simulator.provider.journal.calls if c.delivered)
    calls = (c for c in simulator.telegram.journal.calls if c.delivered and c.path.startswith("/send"))
    return sent + Counter(telegram_id(c.user_id, c.msg_id) for c in calls)


def written_ids(inbox: Iterable[tuple[str, str, bytes, int | None]]) -> dict[str, int | None]:
    """Return the message that each (event, key, raw, id) of the inbox brought, with the row's id."""
    places: dict[str, int | None] = {}
    for event, key, raw, row_id in inbox:
        if event.startswith("user_send_"):
            places[key.partition(":")[2]] = row_id
        elif event == "message":
            message = json.loads(raw)["message"]
            places[telegram_id(message["chat"]["id"], message["message_id"])] = row_id
    return places

"""What every button of every text carries is short enough for every provider."""

import re
from pathlib import Path

import pytest

from bot import render
from bot.actions.units import MAX_CODE_BYTES
from bot.clock import new_id
from bot.domain.card import Press, payload
from bot.domain.case import new_code
from handlers.citizen import consent, dossier_details, dossiers, link, report, subscribe

MOST_BYTES = 64
"""callback_data of Telegram (core.telegram.org/bots/api#inlinekeyboardbutton); Zalo takes 1 000 characters."""
FOLDER = render.TEMPLATES / "messages" / "vi"
_OF_THE_DESK = max((payload(press, new_id(), new_id()) for press in Press), key=len)
_DOSSIER = "000.000.000.H26-20260930-1234567"
_LONGEST = {
    "code": new_code(),
    "case.code": new_code(),
    "prefix": report.CATEGORY_PAYLOAD,
    "category.code": "c" * MAX_CODE_BYTES,
    "yes": link.YES,
    "no": link.NO,
    "here": consent.HERE,
    "everywhere": consent.EVERYWHERE,
    "words.decide(prefix, topic.id, not on)": f"{subscribe.TOPIC}{new_id()} khong",
    "words.decide(prefix, area.id, area.id not in followed)": f"{subscribe.AREA}{new_id()} khong",
    "row.code": _DOSSIER,
    "details": f"{dossiers.DETAILS}{_DOSSIER}",
    "send": f"{dossier_details.SEND}{_DOSSIER}",
    "ask_area": subscribe.ASK_AREA,
    "back": subscribe.BACK,
    **dict.fromkeys(("after", "before", "cancel", "one.payload", "undo"), _OF_THE_DESK),
}
"""The longest that each expression in a payload can become; a new expression has to be given its length here."""


def payloads(path: Path) -> list[str]:
    below = path.read_text(encoding="utf-8").split("\n---\n")[1:]
    lines = [line for part in below for line in part.splitlines() if "|" in re.sub(r"{[{%].*?[%}]}", "", line)]
    return [line.rsplit("|", 1)[1].strip() for line in lines]


TEXTS = [p for p in sorted(FOLDER.rglob("*.txt")) if payloads(p)]


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: p.stem)
def test_every_payload_fits(path: Path) -> None:
    for text in payloads(path):
        longest = re.sub(r"{{\s*(.*?)\s*}}", lambda found: _LONGEST[found[1]], text)
        assert "{%" not in longest
        assert 0 < len(longest.encode()) <= MOST_BYTES, longest


def test_there_are_texts_with_buttons() -> None:
    assert len(TEXTS) > 30

"""Every recorded Zalo payload becomes exactly the update meant for it, and none is forgotten."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.channels.zalo.events import READERS, parse_event
from bot.domain.update import (
    AccountNews,
    ButtonPressed,
    Echo,
    Followed,
    MessageReceived,
    PhoneShared,
    Rated,
    Receipt,
    TemplateNews,
    Unfollowed,
    Unrecognised,
    Withdrawn,
)

FOLDER = Path(__file__).parents[1] / "payloads/zalo"
INDEX: list[dict[str, str]] = json.loads((FOLDER / "events_index.json").read_text("utf-8"))["events"]
FILES = sorted((FOLDER / "events").glob("*.json"))

EXPECTED: dict[str, type[Any]] = {
    **{f"user_send_{kind}": MessageReceived for kind in ("text", "image", "gif", "link", "audio", "video", "sticker")},
    **{f"user_send_{kind}": MessageReceived for kind in ("location", "business_card", "file")},
    **{f"anonymous_send_{kind}": MessageReceived for kind in ("text", "image", "file", "sticker")},
    **{f"oa_send_{kind}": Echo for kind in ("text", "image", "gif", "list", "file", "sticker", "template")},
    **{f"oa_send_anonymous_{kind}": Echo for kind in ("text", "image", "file", "sticker")},
    "user_received_message": Receipt,
    "user_seen_message": Receipt,
    "follow": Followed,
    "user_click_chatnow": Followed,
    "unfollow": Unfollowed,
    "user_submit_info": PhoneShared,
    "user_withdraw": Withdrawn,
    "user_feedback": Rated,
    "user_click_response_button": ButtonPressed,
    "change_template_status": TemplateNews,
    "change_template_quality": TemplateNews,
    "change_template_quota": TemplateNews,
    "change_oa_daily_quota": TemplateNews,
    "change_oa_template_tags": TemplateNews,
    "": Unrecognised,
}


def test_there_are_92_payloads_and_the_index_lists_each() -> None:
    assert len(FILES) == 92
    assert {entry["file"] for entry in INDEX} == {f"events/{path.name}" for path in FILES}


@pytest.mark.parametrize("entry", INDEX, ids=lambda entry: Path(entry["file"]).stem)
def test_the_payload_becomes_its_update(entry: dict[str, str]) -> None:
    (update,) = parse_event((FOLDER / entry["file"]).read_bytes())
    assert type(update) is EXPECTED.get(entry["event_name"], AccountNews)


@pytest.mark.parametrize("entry", INDEX, ids=lambda entry: Path(entry["file"]).stem)
def test_every_known_event_has_a_reader(entry: dict[str, str]) -> None:
    assert not entry["event_name"] or entry["event_name"] in READERS

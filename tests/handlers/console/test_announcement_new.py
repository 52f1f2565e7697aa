"""What is to be looked at of an official warning stays with the announcement that was made of it."""

import pytest

from tests.bot.domain.test_cap import cap, info
from tests.handlers.console.test_announcements import (
    NOW,
    RULES,
    begun,
    citizens,
    member,
    row_of,
    step,
    text_of,
    warning_form,
)
from tests.handlers.console.visitor import Office, hidden

PUBLIC, OVER = "không dành cho công chúng nên không được gửi", "Cảnh báo gốc đã hết hiệu lực"
LATER = "2027-12-06T12:00:00+07:00"


async def test_remarks_on_a_warning_are_there_at_every_look_and_in_every_copy(office: Office) -> None:
    writer = await member(office, "broadcaster")
    answer = await writer.post("/announcements/cap", warning_form(writer, cap(info(expires=LATER), status="Test")))
    address = answer.headers["Location"].removesuffix("/words")
    copy = await begun(writer, like=address.rpartition("/")[2])
    for page in (f"{address}/words", f"{address}/words", f"{address}/check", f"{copy}/words"):
        assert "Tin gốc là tin thử nghiệm" in await writer.page(page), page
    assert (await row_of(office, copy)).warning["identifier"] == "TEST.2027.0001"


@pytest.mark.parametrize(
    ("expires", "scope", "said"),
    [(LATER, "Public", []), (LATER, "Restricted", [PUBLIC]), ("2026-01-01T12:00:00+07:00", "Public", [OVER])],
)
async def test_a_warning_that_is_over_or_not_public_is_not_handed_over(
    office: Office, expires: str, scope: str, said: list[str]
) -> None:
    writer = await member(office, "broadcaster")
    await citizens(office)
    answer = await writer.post("/announcements/cap", warning_form(writer, cap(info(expires=expires), scope=scope)))
    address = answer.headers["Location"].removesuffix("/words")
    await step(writer, address, "audience", RULES)
    await step(writer, address, "schedule", NOW)
    page = await writer.page(f"{address}/check")
    answer = await writer.post(f"{address}/submit", {"version": hidden(page, "version")})
    assert answer.status == (422 if said else 303)
    shown = await text_of(answer) if said else ""
    assert [words for words in (PUBLIC, OVER) if words in shown] == said

"""Whose dossier it is says how satisfied they are, by a tap or a word, and may think better of it once."""

from typing import Any

import pytest
from sqlmodel import col, select

from bot.actions.dossiers import News, take_in
from bot.domain.dossier import Status
from bot.runtime import Runtime
from bot.store.dossiers import DossierNoteRow, DossierRow
from jobs.tell_dossiers import tell_dossiers
from tests import commune
from tests.runtime_fixtures import Clock
from tests.talk import Talk

CODE = "000.00.01.H26-261120-0012"
PHONE = "84900000001"


@pytest.fixture
async def talk(runtime: Runtime, clock: Clock) -> Talk:
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
    made = Talk(runtime, clock)
    await made.follow()
    await made.share_phone(PHONE)
    return made


async def returned(talk: Talk, status: int = 10) -> None:
    news = News(CODE, Status(status), talk.clock.now, "economy", "/commune/economy/", {}, "Nguyễn Văn Mẫu", PHONE)
    async with talk.runtime.units_of_work() as uow:
        await take_in(uow, talk.runtime.box, [news], "import:1")
    await tell_dossiers(talk.runtime)
    await talk.new_messages()


async def dossier(talk: Talk) -> DossierRow:
    async with talk.runtime.database.reading() as session:
        return (await session.exec(select(DossierRow))).one()


async def notes(talk: Talk) -> list[dict[str, Any]]:
    async with talk.runtime.database.reading() as session:
        rows = (await session.exec(select(DossierNoteRow).order_by(col(DossierNoteRow.at)))).all()
    return [row.data for row in rows if row.kind == "rated"]


async def test_a_tap_rates_and_words_follow(talk: Talk) -> None:
    await returned(talk)
    [said] = await talk.say(f"#danhgiahs {CODE} 3")
    assert "Nếu muốn góp ý" in said
    await talk.say("Cán bộ hướng dẫn tận tình")
    row = await dossier(talk)
    assert (row.rating, row.rating_remark) == (3, "Cán bộ hướng dẫn tận tình")
    assert row.rated_at is not None
    assert await notes(talk) == [{"rating": 3}, {"remark": "Cán bộ hướng dẫn tận tình"}]


@pytest.mark.parametrize(("word", "rating"), [("rất hài lòng", 3), ("1", 3), ("chưa hài lòng", 1), ("3", 1)])
async def test_words_and_numbers_rate_while_it_is_asked_for(talk: Talk, word: str, rating: int) -> None:
    await returned(talk)
    [said] = await talk.say(word)
    assert ("chưa hài lòng" in said) == (rating == 1)
    assert (await dossier(talk)).rating == rating
    await talk.say("bỏ qua")
    assert (await dossier(talk)).rating_remark == ""


async def test_it_can_be_changed_once_and_within_a_month(talk: Talk) -> None:
    await returned(talk)
    for rating in (1, 3):
        await talk.say(f"#danhgiahs {CODE} {rating}")
        await talk.say("bỏ qua")
    [said] = await talk.say(f"#danhgiahs {CODE} 2")
    assert "không đánh giá được" in said
    assert (await dossier(talk)).rating == 3


async def test_later_it_cannot_be_rated(talk: Talk) -> None:
    await returned(talk)
    talk.clock.forward(days=31)
    [said] = await talk.say(f"#danhgiahs {CODE} 2")
    assert "không đánh giá được" in said
    assert (await dossier(talk)).rating is None


async def test_neither_strangers_rate_nor_before_the_result_is_returned(talk: Talk) -> None:
    await returned(talk, 9)
    assert "không đánh giá được" in (await talk.say(f"#danhgiahs {CODE} 3"))[0]
    stranger = Talk(talk.runtime, talk.clock, user="999")
    await stranger.follow()
    await returned(talk)
    assert "không đánh giá được" in (await stranger.say(f"#danhgiahs {CODE} 3"))[0]
    assert (await dossier(talk)).rating is None

"""What people choose stays as they said; staff add tags and villages beside it; topics are kept in order."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from bot.actions import contacts, marks, topics
from bot.actions.units import unit_of
from bot.errors import InvalidInputError, NotFoundError
from bot.runtime import Runtime
from bot.store import marks as rows
from bot.store import units
from bot.store.audit import AuditRow
from bot.store.broadcasts import BroadcastRow, DeliveryRow
from bot.store.contacts import ConsentRow, ContactRow
from bot.store.marks import MarkRow, TopicRow
from bot.store.unit_of_work import UnitOfWork
from tests.talk import Talk


async def person(talk: Talk) -> str:
    await talk.say("/start")
    return (await talk.contact()).id


async def contact_of(uow: UnitOfWork, contact_id: str) -> ContactRow:
    row = await uow.session.get(ContactRow, contact_id)
    assert row is not None
    return row


async def add_topics(runtime: Runtime) -> dict[str, str]:
    async with runtime.units_of_work() as uow:
        made = [
            await topics.save_topic(uow, "commune", None, "Họp thôn", default_on=True, advert=False),
            await topics.save_topic(uow, "commune", None, "Lịch cắt điện", default_on=False, advert=False),
            await topics.save_topic(uow, "commune", None, "Phiên chợ", default_on=True, advert=True),
        ]
        return {row.name: row.id for row in made}


async def choices(talk: Talk, contact_id: str) -> marks.Choices:
    async with talk.runtime.database.reading() as session:
        contact = await session.get(ContactRow, contact_id)
        assert contact is not None
        return await marks.choices_of(session, contact)


async def actions(talk: Talk, contact_id: str) -> list[str]:
    async with talk.runtime.database.reading() as session:
        query = select(AuditRow).where(AuditRow.subject == f"contact:{contact_id}").order_by(AuditRow.id)
        return [row.action for row in (await session.exec(query)).all()]


async def test_a_person_follows_and_leaves_villages(talk: Talk) -> None:
    who = await person(talk)
    async with talk.runtime.units_of_work() as uow:
        contact = await contact_of(uow, who)
        await marks.choose_area(uow, contact, "kim-lam")
        await marks.choose_area(uow, contact, "cat-dong")
        await marks.leave_area(uow, contact, "kim-lam")
        with pytest.raises(InvalidInputError, match="unknown_area"):
            await marks.choose_area(uow, contact, "elsewhere")
    assert [area.id for area in (await choices(talk, who)).my_villages] == ["cat-dong"]
    assert await actions(talk, who) == ["contact.area"] * 3


async def test_staff_do_not_overwrite_what_the_person_has_said(talk: Talk) -> None:
    who = await person(talk)
    async with talk.runtime.units_of_work() as uow:
        contact = await contact_of(uow, who)
        await marks.choose_area(uow, contact, "kim-lam")
        await marks.set_area(uow, contact, "kim-lam")
        await marks.unset_area(uow, contact, "kim-lam")
        await marks.set_area(uow, contact, "cat-dong")
    assert (await choices(talk, who)).by == {"kim-lam": "self", "cat-dong": "staff"}
    async with talk.runtime.units_of_work() as uow:
        contact = await contact_of(uow, who)
        await marks.leave_area(uow, contact, "cat-dong")
        with pytest.raises(InvalidInputError, match="left_by_person"):
            await marks.set_area(uow, contact, "cat-dong")
        for by in ("staff", "import"):
            row = MarkRow(kind="area", value="cat-dong", contact_id=who, by=by, at=uow.now)
            assert await rows.put(uow.session, [row]) == 0
    assert [area.id for area in (await choices(talk, who)).my_villages] == ["kim-lam"]


async def test_what_staff_have_set_staff_take_back(talk: Talk) -> None:
    who = await person(talk)
    async with talk.runtime.units_of_work() as uow:
        contact = await contact_of(uow, who)
        await marks.set_area(uow, contact, "kim-lam")
        await marks.unset_area(uow, contact, "kim-lam")
        await marks.tag(uow, contact, "  Hộ  KINH doanh ")
        await marks.tag(uow, contact, "hộ kinh doanh")
        await marks.tag(uow, contact, "Người cao tuổi")
        await marks.untag(uow, contact, "Hộ kinh doanh")
        await marks.untag(uow, contact, "chưa từng có")
    found = await choices(talk, who)
    assert found.my_villages == ()
    assert found.tags == ("người cao tuổi",)
    expected = ["contact.area_set", "contact.area_unset", "contact.tag", "contact.tag", "contact.untag"]
    assert await actions(talk, who) == expected


async def test_tags_are_short_and_few(talk: Talk) -> None:
    who = await person(talk)
    async with talk.runtime.units_of_work() as uow:
        contact = await contact_of(uow, who)
        for wrong, code in ((" ", "empty"), ("x" * 41, "too_long")):
            with pytest.raises(InvalidInputError, match=code):
                await marks.tag(uow, contact, wrong)
        for number in range(marks.MOST_TAGS):
            await marks.tag(uow, contact, f"nhãn {number}")
        with pytest.raises(InvalidInputError, match="too_many_tags"):
            await marks.tag(uow, contact, "một nhãn nữa")


async def test_a_topic_is_on_as_it_says_until_somebody_decides(talk: Talk) -> None:
    who, ids = await person(talk), await add_topics(talk.runtime)
    assert [on for _, on in (await choices(talk, who)).topics] == [True, False, False]
    async with talk.runtime.units_of_work() as uow:
        contact = await contact_of(uow, who)
        await marks.choose_topic(uow, contact, ids["Họp thôn"], on=False)
        await marks.choose_topic(uow, contact, ids["Lịch cắt điện"], on=True)
        await marks.choose_topic(uow, contact, ids["Phiên chợ"], on=True)
    assert [on for _, on in (await choices(talk, who)).topics] == [False, True, False], "no advertising without consent"
    async with talk.runtime.units_of_work() as uow:
        await topics.end_topic(uow, ids["Lịch cắt điện"])
        with pytest.raises(NotFoundError):
            await marks.choose_topic(uow, await contact_of(uow, who), ids["Lịch cắt điện"], on=True)


async def test_consent_to_advertising_is_kept_with_its_text_and_taken_back(talk: Talk) -> None:
    who, ids = await person(talk), await add_topics(talk.runtime)
    async with talk.runtime.units_of_work() as uow:
        await marks.agree(uow, await contact_of(uow, who))
    found = await choices(talk, who)
    assert found.adverts
    assert [topic.id for topic, on in found.topics if on] == [ids["Họp thôn"], ids["Phiên chợ"]]
    async with talk.runtime.units_of_work() as uow:
        contact = await contact_of(uow, who)
        await marks.choose_topic(uow, contact, ids["Phiên chợ"], on=False)
        await marks.withdraw(uow, contact)
        await marks.agree(uow, contact)
    found = await choices(talk, who)
    assert [topic.id for topic, on in found.topics if on] == [ids["Họp thôn"]], "decided against it before"
    async with talk.runtime.database.reading() as session:
        kept = (await session.exec(select(ConsentRow).order_by(ConsentRow.id))).all()
    assert [(row.purpose, row.given, row.text_version) for row in kept] == [
        ("advert", given, marks.ADVERT_TEXT_VERSION) for given in (True, False, True)
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["self", "staff", "import"]), st.booleans()), max_size=8))
async def test_the_last_word_of_the_person_stands_whatever_others_write(
    talk: Talk, words: list[tuple[str, bool]]
) -> None:
    async with talk.runtime.units_of_work() as uow:
        await rows.forget(uow.session, "someone")
        for by, chosen in words:
            row = MarkRow(kind="topic", value="t", contact_id="someone", chosen=chosen, by=by, at=uow.now)
            await rows.put(uow.session, [row])
        own = [chosen for by, chosen in words if by == "self"]
        found = [(row.by, row.chosen) for row in await rows.of_contact(uow.session, "someone")]
    assert found == ([("self", own[-1])] if own else words[-1:])


async def test_many_marks_are_written_at_once(talk: Talk) -> None:
    async with talk.runtime.units_of_work() as uow:
        said = MarkRow(kind="tag", value="b", contact_id="7", by="self", chosen=False, at=uow.now)
        await rows.put(uow.session, [said])
        many = [MarkRow(kind="tag", value="b", contact_id=str(n), by="import", at=uow.now) for n in range(1201)]
        assert await rows.put(uow.session, many) == 1200
        [kept] = await rows.of_contact(uow.session, "7")
    assert not kept.chosen


async def broadcast_to(talk: Talk, *recipients: tuple[str, str]) -> None:
    async with talk.runtime.units_of_work() as uow:
        row = BroadcastRow(account_id="account", unit_id="commune", message={"text": "x"}, created_at=uow.now)
        uow.session.add(row)
        await uow.session.flush()
        assert row.id is not None
        for n, (recipient, state) in enumerate(recipients, 1):
            uow.session.add(DeliveryRow(broadcast_id=row.id, n=n, recipient=recipient, address=str(n), state=state))


async def test_stopping_cancels_what_waits_and_leaves_what_has_left(talk: Talk) -> None:
    who = await person(talk)
    for state in ("queued", "sending", "sent", "queued"):
        await broadcast_to(talk, (who, state), ("another", "queued"))
    async with talk.runtime.units_of_work() as uow:
        await contacts.stop_announcements(uow, await contact_of(uow, who))
    async with talk.runtime.database.reading() as session:
        found = (await session.exec(select(DeliveryRow).order_by(DeliveryRow.broadcast_id))).all()  # type: ignore[arg-type] # a column
    assert [(d.state, d.reason) for d in found if d.recipient == who] == [
        ("cancelled", "opted_out"), ("sending", ""), ("sent", ""), ("cancelled", "opted_out"),
    ]  # fmt: skip
    assert {d.state for d in found if d.recipient == "another"} == {"queued"}


async def test_who_withdraws_leaves_no_marks(talk: Talk) -> None:
    who = await person(talk)
    async with talk.runtime.units_of_work() as uow:
        contact = await contact_of(uow, who)
        await marks.choose_area(uow, contact, "kim-lam")
        await marks.tag(uow, contact, "hộ nghèo")
    await broadcast_to(talk, (who, "queued"))
    await talk.withdraw()
    async with talk.runtime.database.reading() as session:
        assert (await session.exec(select(MarkRow))).all() == []
        assert [d.state for d in (await session.exec(select(DeliveryRow))).all()] == ["cancelled"]


async def test_topics_are_kept_in_order_and_named_once(talk: Talk) -> None:
    ids = await add_topics(talk.runtime)
    async with talk.runtime.units_of_work() as uow:
        await topics.move_topic(uow, ids["Phiên chợ"], up=True)
        await topics.move_topic(uow, ids["Họp thôn"], up=True)
        with pytest.raises(InvalidInputError, match="name_taken"):
            await topics.save_topic(uow, "commune", None, "HỌP  THÔN", default_on=True, advert=False)
        with pytest.raises(InvalidInputError, match="name_taken"):
            await topics.save_topic(uow, "office", None, "hop thon", default_on=True, advert=False)
        with pytest.raises(InvalidInputError, match="too_long"):
            await topics.save_topic(uow, "commune", None, "x" * 46, default_on=True, advert=False)
        with pytest.raises(NotFoundError):
            await topics.save_topic(uow, "office", ids["Phiên chợ"], "Phiên chợ", default_on=True, advert=False)
        await topics.save_topic(uow, "commune", ids["Họp thôn"], "Họp  thôn, xóm", default_on=False, advert=False)
        await topics.save_topic(uow, "office", None, "Tiếp công dân", default_on=True, advert=False)
        office = await unit_of(uow, "office")
        assert [row.name for row in await rows.topics(uow.session, office)] == [
            "Tiếp công dân", "Họp thôn, xóm", "Phiên chợ", "Lịch cắt điện",
        ]  # fmt: skip
        await topics.end_topic(uow, ids["Phiên chợ"])
        with pytest.raises(NotFoundError):
            await topics.end_topic(uow, ids["Phiên chợ"])
        assert [row.name for row in await rows.own_topics(uow.session, "commune")] == ["Họp thôn, xóm", "Lịch cắt điện"]
        kept = (await uow.session.exec(select(TopicRow).where(TopicRow.id == ids["Phiên chợ"]))).one()
        assert (kept.advert, kept.default_on, kept.ended_at) == (True, False, uow.now)


async def test_a_division_offers_the_villages_of_its_commune(talk: Talk) -> None:
    async with talk.runtime.database.reading() as session:
        office = await units.unit(session, "office")
        assert office is not None
        assert [area.id for area in await rows.villages(session, office)] == ["kim-lam", "cat-dong"]

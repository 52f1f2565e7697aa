"""What waits to leave for a chat that may not have it any more does not leave, however often it was tried."""

from typing import Any

import pytest
from sqlmodel import col, select

from bot.actions import official_links, repair, staff, work_case
from bot.store import staff as staff_rows
from bot.store.cases import CaseRow
from bot.store.outbox import OutboxRow
from jobs.refresh_cards import refresh_cards
from tests.handlers.official.pocket import GROUP, Pocket


async def tried(pocket: Pocket, **how: Any) -> CaseRow:
    """Open a case whose cards have been tried once, without arriving."""
    case = await pocket.make_case(text="Mất nước thôn Cát Động hai ngày rồi", citizen="44")
    pocket.clock.forward(seconds=2)
    await refresh_cards(pocket.runtime)
    assert await pocket.refuse(**how) > 0
    return case


async def rows(pocket: Pocket, *states: str) -> list[OutboxRow]:
    async with pocket.runtime.database.reading() as session:
        query = select(OutboxRow).where(OutboxRow.account_id == "bot", col(OutboxRow.state).in_(states))
        return list((await session.exec(query)).all())


async def leave(pocket: Pocket, key: str = "official") -> None:
    async with pocket.runtime.units_of_work() as uow:
        await staff.deactivate(uow, key)


@pytest.mark.parametrize("repeated", [0, 1])
async def test_a_card_tried_before_its_reader_left_does_not_arrive_after(pocket: Pocket, repeated: int) -> None:
    await pocket.link("official")
    await tried(pocket, repeated=repeated)
    before = len(pocket.screen("official"))
    await leave(pocket)
    pocket.clock.forward(seconds=90)
    await pocket.deliver()
    await pocket.settle(600)
    assert len(pocket.screen("official")) == before, "not even for the moment until it is emptied"


async def test_a_card_on_its_way_when_its_reader_left_is_not_tried_again(pocket: Pocket) -> None:
    from bot.actions.outgoing import postponed
    from bot.store import outbox

    await pocket.link("official")
    await pocket.make_case()
    pocket.clock.forward(seconds=2)
    await refresh_cards(pocket.runtime)
    async with pocket.runtime.units_of_work() as uow:
        (row,) = await outbox.claim(uow.session, "slow", uow.now, 60, 5)
    await leave(pocket)
    async with pocket.runtime.units_of_work() as uow:
        await outbox.record(uow.session, row.id, "slow", state="queued", next_attempt_at=uow.now)
        await postponed(uow, row)
    await pocket.deliver()
    assert not pocket.has_card("official")


async def test_an_edit_tried_before_its_reader_left_empties_instead(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await pocket.new_case()
    async with pocket.as_staff("head") as uow:
        await work_case.accept(uow, case.id)
    pocket.clock.forward(seconds=2)
    await refresh_cards(pocket.runtime)
    assert await pocket.refuse() == 1
    await leave(pocket)
    pocket.clock.forward(seconds=90)
    await pocket.deliver()
    assert pocket.card("official").edits == 0
    await pocket.settle()
    assert case.code not in pocket.screen("official")[-1].text


async def test_a_failed_card_is_not_tried_again_for_whoever_left(pocket: Pocket) -> None:
    await pocket.link("official")
    await tried(pocket, for_good=True)
    await leave(pocket)
    (failed,) = await rows(pocket, "failed")
    async with pocket.runtime.units_of_work() as uow:
        assert await repair.retry_message(uow, failed.id)
    await pocket.settle(2 * 3600)
    await pocket.settle(2 * 3600)
    assert not pocket.has_card("official")


async def test_failed_cards_of_one_reason_are_not_tried_again_for_whoever_left(pocket: Pocket) -> None:
    await pocket.link("official")
    await pocket.link_group()
    case = await tried(pocket, for_good=True)
    await leave(pocket)
    async with pocket.runtime.units_of_work() as uow:
        assert await repair.retry_reason(uow, "telegram_unreachable", case.created_at) == 2
    await pocket.settle()
    assert case.code in pocket.card(GROUP).text
    await pocket.settle(2 * 3600)
    assert not pocket.has_card("official")
    assert len([m for m in pocket.screen(GROUP) if case.code in m.text]) == 1


@pytest.mark.parametrize("how", ["deactivate", "unlink", "reset", "role", "other"])
async def test_lists_and_photos_asked_for_do_not_arrive_after(pocket: Pocket, how: str) -> None:
    await pocket.link("official")
    await pocket.new_case()
    await pocket.update_only("official", "/viec")
    assert [row.purpose for row in await rows(pocket, "queued")] == ["work_list"]
    async with pocket.runtime.units_of_work() as uow:
        row = (await uow.session.exec(select(OutboxRow).where(OutboxRow.state == "queued"))).one()
        photo = OutboxRow(**{**row.model_dump(), "id": uow.new_id(), "purpose": "case_photo"})
        uow.session.add(photo)
        await uow.session.flush()
        match how:
            case "deactivate":
                await staff.deactivate(uow, "official")
            case "unlink":
                await official_links.unlink_person(uow, "official")
            case "reset":
                await staff.set_password(uow, "official", "x", reset=True)
            case "role":
                await staff.take_role(uow, "official", "official", "economy")
            case _:
                person = await staff_rows.person(uow.session, "head")
                assert person is not None
                code = await official_links.make_code(uow, pocket.runtime.box, person)
    if how == "other":
        await pocket.update_only("official", code)
    assert {row.purpose for row in await rows(pocket, "queued")} & {"work_list", "case_photo"} == set()
    assert {row.purpose for row in await rows(pocket, "cancelled")} == {"work_list", "case_photo"}


async def test_a_citizens_own_messages_in_that_chat_still_arrive(pocket: Pocket) -> None:
    await pocket.link("official")
    await pocket.update_only("official", "phản ánh")
    (waiting,) = await rows(pocket, "queued")
    await leave(pocket)
    assert [row.id for row in await rows(pocket, "queued")] == [waiting.id]


@pytest.mark.parametrize("repeated", [0, 1])
async def test_a_tried_card_of_a_case_that_was_handed_over_does_not_enter_the_old_group(
    pocket: Pocket, repeated: int
) -> None:
    await pocket.link_group()
    case = await tried(pocket, repeated=repeated)
    before = len(pocket.screen(GROUP))
    async with pocket.as_staff("head") as uow:
        await work_case.hand_over(uow, case.id, None, "police", None, "Việc của công an")
    pocket.clock.forward(seconds=2)
    await refresh_cards(pocket.runtime)
    await pocket.settle(90)
    assert len(pocket.screen(GROUP)) == before


async def test_a_tried_card_shows_what_is_true_when_it_arrives(pocket: Pocket) -> None:
    await pocket.link_group()
    case = await tried(pocket)
    async with pocket.as_staff("official") as uow:
        await work_case.accept(uow, case.id)
    pocket.clock.forward(seconds=2)
    await refresh_cards(pocket.runtime)
    pocket.clock.forward(seconds=90)
    await pocket.deliver()
    assert "đang xử lý" in pocket.card(GROUP).text
    assert pocket.card(GROUP).edits == 0


async def test_a_card_that_may_have_arrived_is_repeated_as_it_was(pocket: Pocket) -> None:
    await pocket.link_group()
    case = await tried(pocket, repeated=1)
    async with pocket.as_staff("official") as uow:
        await work_case.accept(uow, case.id)
    pocket.clock.forward(seconds=2)
    await refresh_cards(pocket.runtime)
    pocket.clock.forward(seconds=90)
    await pocket.deliver()
    assert "chưa nhận" in pocket.card(GROUP).text
    await pocket.settle()
    assert "đang xử lý" in pocket.card(GROUP).text


async def test_a_group_taken_away_gets_nothing_that_waited(pocket: Pocket) -> None:
    await pocket.link_group()
    await tried(pocket)
    before = len(pocket.screen(GROUP))
    async with pocket.as_staff("head") as uow:
        await official_links.unlink_group(uow, await staff_rows.grants(uow.session, "head"), "economy")
    await pocket.settle(90)
    assert len(pocket.screen(GROUP)) == before


async def test_linking_the_same_chat_again_loses_nothing(pocket: Pocket) -> None:
    await pocket.link("official")
    await pocket.link_group()
    case = await tried(pocket)
    await pocket.link("official")
    await pocket.link_group()
    await pocket.settle(90)
    assert case.code in pocket.card("official").text
    assert case.code in pocket.card(GROUP).text

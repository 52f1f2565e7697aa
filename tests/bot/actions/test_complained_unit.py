"""A report about conduct never goes to the unit complained about, nor a case out of its tree."""

from datetime import date

import pytest

from bot.actions import work_case
from bot.errors import InvalidInputError, NotFoundError
from bot.store.cases import CaseRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow
from tests.talk import Official, Talk

REASON = "Để xác minh sự việc"


async def more_units(talk: Talk) -> None:
    async with talk.runtime.units_of_work() as uow:
        for unit_id, path, since, until in (
            ("desk", "/commune/economy/desk/", date(2025, 7, 1), None),
            ("gone", "/commune/gone/", date(2025, 7, 1), date(2026, 11, 22)),
            ("last-day", "/commune/last-day/", date(2025, 7, 1), date(2026, 11, 23)),
            ("to-come", "/commune/to-come/", date(2027, 1, 1), None),
            ("other", "/other/", date(2025, 7, 1), None),
        ):
            row = UnitRow(id=unit_id, code=unit_id, name=unit_id, kind="x", path=path, valid_from=since, valid_to=until)
            uow.session.add(row)


async def conduct(talk: Talk) -> CaseRow:
    await talk.say("phản ánh")
    await talk.say("#lv thai-do-can-bo")
    for text in ("Cán bộ một cửa quát mắng người dân sáng nay", "bỏ qua", "xong", "gửi"):
        await talk.say(text)
    return (await talk.cases())[-1]


def inspector(talk: Talk) -> Official:
    return Official(talk, "inspector")


async def hand_over(uow: UnitOfWork, case: CaseRow, unit_id: str) -> CaseRow:
    return await work_case.hand_over(uow, case.id, None, unit_id, None, REASON)


async def test_the_unit_complained_about_and_what_lies_below_never_gets_the_case(talk: Talk) -> None:
    await more_units(talk)
    case = await conduct(talk)
    async with inspector(talk).unit_of_work() as uow:
        named = await work_case.name_complained_unit(uow, case.id, case.version, "economy")
        assert (named.complained_unit_id, named.version) == ("economy", case.version + 1)
    for unit_id in ("economy", "desk"):
        with pytest.raises(InvalidInputError, match="complained_unit"):
            async with inspector(talk).unit_of_work() as uow:
                await hand_over(uow, case, unit_id)
    async with inspector(talk).unit_of_work() as uow:
        assert (await hand_over(uow, case, "police")).unit_id == "police"
    async with inspector(talk).unit_of_work() as uow:
        await work_case.name_complained_unit(uow, case.id, None, "")
        assert (await hand_over(uow, case, "economy")).unit_id == "economy"


@pytest.mark.parametrize("unit_id", ["gone", "to-come", "other", "nowhere", ""])
async def test_a_case_is_given_to_units_of_its_tree_that_exist_today(talk: Talk, unit_id: str) -> None:
    await more_units(talk)
    case = await talk.report()
    with pytest.raises(InvalidInputError, match="unknown_unit"):
        async with Official(talk, "head").unit_of_work() as uow:
            await hand_over(uow, case, unit_id)
    async with Official(talk, "head").unit_of_work() as uow:
        assert (await hand_over(uow, case, "last-day")).unit_id == "last-day"


async def test_only_a_report_about_conduct_names_a_unit(talk: Talk) -> None:
    await more_units(talk)
    ordinary = await talk.report()
    with pytest.raises(NotFoundError):
        async with inspector(talk).unit_of_work() as uow:
            await work_case.name_complained_unit(uow, ordinary.id, None, "economy")
    case = await conduct(talk)
    with pytest.raises(InvalidInputError, match="unknown_unit"):
        async with inspector(talk).unit_of_work() as uow:
            await work_case.name_complained_unit(uow, case.id, None, "other")

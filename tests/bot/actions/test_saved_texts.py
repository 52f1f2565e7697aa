"""Texts that are used again: each change is a version, names are unique in a unit, and nobody overwrites another."""

import asyncio

import pytest

from bot.actions import saved_texts as actions
from bot.errors import ConflictError, InvalidInputError, NotFoundError
from bot.runtime import Runtime
from bot.store import audit, saved_texts, units
from bot.store.announcements import SavedTextRow
from bot.store.unit_of_work import Actor
from tests import commune

WRITER = Actor("staff", "leader", "Cán bộ leader")
GIVEN = {"name": "Họp thôn", "kind": "notice", "title": "Mời họp", "text": "Kính mời {{Tên}} dự họp."}


@pytest.fixture
async def office(runtime: Runtime) -> Runtime:
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
    return runtime


async def add(office: Runtime, unit_id: str = "commune", **changes: str) -> SavedTextRow:
    async with office.units_of_work(WRITER) as uow:
        return await actions.add(uow, unit_id, {**GIVEN, **changes})


async def names(office: Runtime, unit_id: str) -> list[tuple[str, int]]:
    async with office.database.reading() as session:
        unit = await units.unit(session, unit_id)
        assert unit is not None
        return [(row.name, row.version) for row in await actions.in_use(session, unit)]


async def test_every_change_is_a_version_of_its_own(office: Runtime) -> None:
    row = await add(office)
    async with office.units_of_work(WRITER) as uow:
        await actions.change(uow, row.id, 1, {**GIVEN, "text": "Mời dự họp lúc {{Giờ}}."})
        await actions.rename(uow, row.id, 2, "  Họp   tổ dân phố ")
        await actions.end(uow, row.id, 3)
    async with office.database.reading() as session:
        history = await saved_texts.versions(session, row.id)
        done = await audit.latest(session, 10, action="saved_text.end")
    assert [(v.version, v.name, v.text, v.ended) for v in history] == [
        (4, "Họp tổ dân phố", "Mời dự họp lúc {{Giờ}}.", True),
        (3, "Họp tổ dân phố", "Mời dự họp lúc {{Giờ}}.", False),
        (2, "Họp thôn", "Mời dự họp lúc {{Giờ}}.", False),
        (1, "Họp thôn", "Kính mời {{Tên}} dự họp.", False),
    ]
    assert {v.made_by for v in history} == {"leader"}
    assert [(one.actor_id, one.subject, one.data["version"]) for one in done] == [("leader", "unit:commune", 4)]


async def test_what_says_the_same_makes_no_version(office: Runtime) -> None:
    row = await add(office)
    async with office.units_of_work(WRITER) as uow:
        assert (await actions.change(uow, row.id, 1, {**GIVEN, "text": " Kính mời {{Tên}} dự họp.\n"})).version == 1
        assert (await actions.rename(uow, row.id, 1, "Họp thôn")).version == 1
        assert (await actions.rename(uow, row.id, 1, "HỌP THÔN")).version == 2


async def test_a_unit_uses_its_own_texts_and_those_above(office: Runtime) -> None:
    await add(office)
    own = await add(office, "economy", name="Chợ phiên")
    await add(office, "police", name="Căn cước")
    assert await names(office, "economy") == [("Chợ phiên", 1), ("Họp thôn", 1)]
    assert await names(office, "commune") == [("Họp thôn", 1)]
    async with office.units_of_work(WRITER) as uow:
        await actions.change(uow, own.id, 1, {**GIVEN, "kind": "advert"})
    assert await names(office, "economy") == [("Chợ phiên", 2), ("Họp thôn", 1)]
    async with office.units_of_work(WRITER) as uow:
        await actions.end(uow, own.id, 2)
    assert await names(office, "economy") == [("Họp thôn", 1)]
    async with office.database.reading() as session:
        [ended] = await saved_texts.of_units(session, ["economy"], ended=True)
    assert (ended.name, ended.version) == ("Chợ phiên", 3)


async def test_a_name_stands_once_in_a_unit(office: Runtime) -> None:
    row = await add(office)
    other = await add(office, name="Chợ phiên")
    await add(office, "economy")
    for name in ("họp thôn", "Hop thon!"):
        with pytest.raises(InvalidInputError, match="name: name_taken"):
            await add(office, name=name)
    async with office.units_of_work(WRITER) as uow:
        with pytest.raises(InvalidInputError, match="name: name_taken"):
            await actions.rename(uow, other.id, 1, "Họp thôn")
        await actions.end(uow, row.id, 1)
    assert (await add(office)).version == 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"name": " "}, "name: empty"),
        ({"name": "x" * 101}, "name: too_long"),
        ({"kind": "spam"}, "kind: unknown_announcement_kind"),
        ({"text": "\u200b"}, "text: required"),
        ({"title": "x" * 101}, "title: too_long"),
        ({"text": "Kính mời {{Tên dự họp."}, "text: field_open"),
        ({"button_label": "Xem"}, "button_url: button_half"),
        ({"button_label": "Xem", "button_url": "javascript:alert(1)"}, "button_url: not_a_link"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_kept(office: Runtime, change: dict[str, str], problem: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await add(office, **change)
    assert str(caught.value) == problem
    assert await names(office, "commune") == []


async def test_who_has_seen_an_older_version_is_told(office: Runtime) -> None:
    row = await add(office)
    async with office.units_of_work(WRITER) as uow:
        await actions.change(uow, row.id, 1, {**GIVEN, "text": "Khác"})
    for version in (1, 3):
        with pytest.raises(ConflictError):
            async with office.units_of_work(WRITER) as uow:
                await actions.change(uow, row.id, version, GIVEN)
    async with office.units_of_work(WRITER) as uow:
        await actions.end(uow, row.id, 2)
        with pytest.raises(ConflictError):
            await actions.rename(uow, row.id, 3, "Lại dùng")
        with pytest.raises(NotFoundError):
            await actions.end(uow, "nothing", 1)
        with pytest.raises(NotFoundError):
            await actions.add(uow, "nowhere", GIVEN)


async def test_of_two_who_change_at_once_one_is_told(office: Runtime) -> None:
    row = await add(office)

    async def change(text: str) -> str:
        try:
            async with office.units_of_work(WRITER) as uow:
                await actions.change(uow, row.id, 1, {**GIVEN, "text": text})
        except ConflictError:
            return "conflict"
        return "saved"

    assert sorted(await asyncio.gather(*(change(f"Bản {n}") for n in range(6)))) == [*["conflict"] * 5, "saved"]
    async with office.database.reading() as session:
        assert len(await saved_texts.versions(session, row.id)) == 2

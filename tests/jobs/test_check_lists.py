"""Uploaded lists are checked once, whoever dies over them, and removed ones leave nothing behind."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from bot.actions import recipient_lists as actions
from bot.clock import new_id
from bot.errors import InvalidInputError
from bot.queue import CHECK_LISTS
from bot.runtime import Runtime
from bot.store import recipients
from bot.store.accounts import AccountRow
from bot.store.announcements import AnnouncementRow, RunRow
from bot.store.audit import AuditRow
from bot.store.contacts import ContactRow
from bot.store.dossiers import DossierPersonRow, DossierRow
from bot.store.recipients import Line, ListedRow, RecipientListRow
from bot.store.unit_of_work import Actor
from jobs.check_lists import check_lists
from tests import commune
from tests.bot.sheets.files import OLE, large, xlsx
from tests.runtime_fixtures import Clock

HEADER = ["Họ tên", "Điện thoại"]
OFFICIAL = Actor("staff", "official", "Cán bộ")


@pytest.fixture(autouse=True)
async def _commune(runtime: Runtime) -> None:
    async with runtime.units_of_work() as uow:
        await commune.build(uow)


async def uploaded(runtime: Runtime, data: bytes) -> str:
    list_id = new_id()
    await runtime.blobs.put(actions.blob_key(list_id), data)
    async with runtime.units_of_work(OFFICIAL) as uow:
        await actions.add(uow, list_id, "commune", "", "ds.xlsx")
    return list_id


async def row_of(runtime: Runtime, list_id: str) -> RecipientListRow | None:
    async with runtime.database.reading() as session:
        return await session.get(RecipientListRow, list_id)


async def lines_of(runtime: Runtime, list_id: str) -> list[ListedRow]:
    async with runtime.database.reading() as session:
        found = await session.exec(select(ListedRow).where(ListedRow.list_id == list_id))
        return sorted(found.all(), key=lambda line: line.n)


async def is_kept(runtime: Runtime, list_id: str) -> bool:
    try:
        await runtime.blobs.get(actions.blob_key(list_id))
    except FileNotFoundError:
        return False
    return True


async def test_a_list_is_checked_counted_and_its_file_forgotten(runtime: Runtime) -> None:
    lines: list[list[Any]] = [["Ví Dụ", "0900000001"], ["Thí Dụ", 900000002], ["A", "09"], ["Ví Dụ", "+84900000001"]]
    list_id = await uploaded(runtime, xlsx([HEADER, *lines]))
    assert await check_lists(runtime) == 1
    row = await row_of(runtime, list_id)
    assert row is not None
    assert (row.state, row.good, row.bad, row.warned) == ("ready", 2, 1, 2)
    assert (row.name, row.columns, row.key_column, row.key_kind) == ("ds.xlsx", ["Họ tên"], "Điện thoại", "phone")
    assert row.lease is None
    good, restored, bad, again = await lines_of(runtime, list_id)
    assert good.recipient == f"phone:{runtime.box.fingerprint('84900000001')}"
    assert runtime.box.open(bytes.fromhex(good.address)) == "84900000001"
    assert (good.merged, good.problems, good.cells) == ({"Họ tên": "Ví Dụ"}, None, None)
    assert [problem["code"] for problem in restored.problems or []] == ["zero_restored"]
    assert (bad.recipient, bad.merged) == ("", None)
    assert "Ví" not in str(bad.cells)
    assert (again.recipient, (again.problems or [{}])[0]["details"]) == ("", {"first": 2})
    assert not await is_kept(runtime, list_id)
    assert await check_lists(runtime) == 0
    async with runtime.database.reading() as session:
        done = [entry.action for entry in (await session.exec(select(AuditRow))).all()]
        assert [line.n for line in await recipients.bad_lines(session, list_id)] == [4]
        assert [line.n for line in await recipients.warned_lines(session, list_id, 200)] == [3, 5]
    assert sorted(done) == ["recipient_list.add", "recipient_list.checked"]


async def test_lines_with_codes_of_dossiers_find_their_people_and_name_codes_that_nobody_has(runtime: Runtime) -> None:
    phone, other = (runtime.box.fingerprint(f"8490000000{n}") for n in (1, 2))
    filed = (("1", phone, ""), ("2", phone, "same"), ("3", other, "bound"), ("4", None, "bound"), ("5", None, ""))
    async with runtime.units_of_work() as uow:
        account = (await uow.session.exec(select(AccountRow))).first()
        assert account is not None
        people = {"same": phone, "bound": None}
        uow.session.add_all(
            ContactRow(id=key, account_id=account.id, external_id=key, phone_hash=own, created_at=uow.now)
            for key, own in people.items()
        )
        uow.session.add_all(
            DossierRow(
                id=n, code=f"H26.01-260930-000{n}", squeezed=n, tail=n, unit_id="police", path="/commune/police/",
                status=4, status_at=uow.now, phone=runtime.box.seal(f"phone{n}") if hashed else None,
                phone_hash=hashed, created_at=uow.now, updated_at=uow.now,
            )
            for n, hashed, _ in (*filed, ("6", phone, ""))
        )  # fmt: skip
        await uow.session.flush()
        elsewhere = await uow.session.get(DossierRow, "6")
        assert elsewhere is not None
        elsewhere.path = "/elsewhere/"
        uow.session.add_all(
            DossierPersonRow(dossier_id=n, contact_id=key, how="code", at=uow.now) for n, _, key in filed if key
        )
    codes = [[f"h26.01 - 260930 - 000{n}", f"Số {n}"] for n in range(1, 8)]
    list_id = await uploaded(runtime, xlsx([["Mã hồ sơ", "Ghi chú"], *codes, [codes[0][0], "lại"], ["12", "x"]]))
    assert await check_lists(runtime) == 1
    row = await row_of(runtime, list_id)
    assert row is not None
    assert (row.state, row.good, row.bad, row.warned) == ("ready", 4, 4, 1)
    assert (row.key_kind, row.columns) == ("dossier", ["Mã hồ sơ", "Ghi chú"])
    lines = await lines_of(runtime, list_id)
    assert [line.recipient for line in lines] == [f"phone:{phone}", f"phone:{phone}", "bound", "bound", *[""] * 5]
    assert [runtime.box.open(bytes.fromhex(line.address)) for line in lines[:2]] == ["phone1", "phone2"]
    assert [line.address for line in lines[2:4]] == ["3", "4"], "the dossier, for the phone that it may name"
    said = [[problem["code"] for problem in line.problems or []] for line in lines]
    assert said[:4] == [[]] * 4
    assert said[4:] == [["dossier_nobody"], ["dossier_unknown"], ["dossier_unknown"], ["duplicate"], ["not_a_dossier"]]
    assert [line.cells is None for line in lines] == [*[True] * 4, *[False] * 3, True, False]
    assert [line.merged is None for line in lines] == [*[False] * 4, *[True] * 5]
    assert (lines[0].merged or {})["Mã hồ sơ"] == codes[0][0]


async def test_what_cannot_be_read_is_refused_with_the_reason_and_leaves_no_lines(runtime: Runtime) -> None:
    password = await uploaded(runtime, OLE + b"\x00" * 600)
    columns = await uploaded(runtime, xlsx([["Họ tên"], ["A"]]))
    gone = await uploaded(runtime, b"x")
    await runtime.blobs.delete(actions.blob_key(gone))
    too_wide = await uploaded(runtime, xlsx([HEADER, *([["A", "0900000001"]] * 1500), [None] * 60 + ["x"]]))
    assert await check_lists(runtime) == 4
    for list_id, code in (
        (password, "password"), (columns, "no_key_column"), (gone, "file_gone"), (too_wide, "too_many_columns"),
    ):  # fmt: skip
        row = await row_of(runtime, list_id)
        assert row is not None
        assert (row.state, [problem["code"] for problem in row.problems]) == ("refused", [code])
        assert (row.good, row.bad, row.warned) == (0, 0, 0)
        assert await lines_of(runtime, list_id) == []


async def test_a_list_whose_worker_died_is_checked_again_from_its_beginning(runtime: Runtime, clock: Clock) -> None:
    list_id = await uploaded(runtime, large(30))
    async with runtime.units_of_work() as uow:
        assert await actions.take(uow, "dead")
    line = Line(2, "user:1", "1")
    async with runtime.units_of_work() as uow:
        assert await actions.add_lines(uow, list_id, "dead", [line])
    assert await check_lists(runtime) == 0, "somebody has it in hand"
    clock.now += actions.LEASE + timedelta(seconds=1)
    assert await check_lists(runtime) == 1
    row = await row_of(runtime, list_id)
    assert row is not None
    assert (row.state, row.good, row.bad) == ("ready", 30, 0)
    assert len(await lines_of(runtime, list_id)) == 30
    async with runtime.units_of_work() as uow:
        assert not await actions.add_lines(uow, list_id, "dead", [line]), "whoever has lost it adds nothing"
        assert not await actions.checked(uow, list_id, "dead")


async def test_a_list_over_which_many_died_is_refused(runtime: Runtime, clock: Clock) -> None:
    list_id = await uploaded(runtime, large(3))
    for _ in range(actions.MOST_TRIES):
        async with runtime.units_of_work() as uow:
            assert await actions.take(uow, "dead")
        clock.now += actions.LEASE + timedelta(seconds=1)
    assert await check_lists(runtime) == 1
    row = await row_of(runtime, list_id)
    assert row is not None
    assert row.problems[0]["code"] == "too_heavy"


async def test_a_process_that_is_about_to_end_gives_the_list_back(runtime: Runtime) -> None:
    list_id = await uploaded(runtime, large(3000))
    running = asyncio.create_task(check_lists(runtime))
    async with asyncio.timeout(60):
        while not await lines_of(runtime, list_id):  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.01)
    runtime.stopping.set()
    await running
    row = await row_of(runtime, list_id)
    assert row is not None
    assert row.state == "ready" or (row.state, row.lease, row.tries) == ("checking", None, 0)
    runtime.stopping.clear()
    await check_lists(runtime)
    row = await row_of(runtime, list_id)
    assert row is not None
    assert (row.state, row.good) == ("ready", 3000)


async def test_two_workers_check_each_list_once(runtime: Runtime) -> None:
    found = [await uploaded(runtime, large(200)) for _ in range(3)]
    done = await asyncio.gather(check_lists(runtime), check_lists(runtime))
    assert sum(done) == 3
    for list_id in found:
        assert len(await lines_of(runtime, list_id)) == 200


async def test_a_removed_list_leaves_nothing_unless_an_announcement_is_for_it(runtime: Runtime) -> None:
    list_id = await uploaded(runtime, large(1200))
    await check_lists(runtime)
    async with runtime.units_of_work(OFFICIAL) as uow:
        now = uow.now
        row = AnnouncementRow(
            id="a",
            unit_id="commune",
            title="Chi trả trợ cấp",
            audience={"list_id": list_id},
            created_by="official",
            created_at=now,
            updated_at=now,
        )
        uow.session.add(row)
    with pytest.raises(InvalidInputError, match="list_in_use") as caught:
        async with runtime.units_of_work(OFFICIAL) as uow:
            await actions.remove(uow, list_id)
    assert caught.value.details == {"titles": ["Chi trả trợ cấp"]}
    async with runtime.units_of_work(OFFICIAL) as uow:
        announcement = await uow.session.get(AnnouncementRow, "a")
        assert announcement is not None
        announcement.state, announcement.ended_at = "approved", uow.now
        run = RunRow(id="r", announcement_id="a", number=1, due_at=now, created_at=now, progress_at=now)
        uow.session.add(run)
    with pytest.raises(InvalidInputError, match="list_in_use"):
        async with runtime.units_of_work(OFFICIAL) as uow:
            await actions.remove(uow, list_id)
    async with runtime.units_of_work(OFFICIAL) as uow:
        (await uow.session.exec(select(RunRow))).one().state = "running"
    async with runtime.units_of_work(OFFICIAL) as uow:
        await actions.remove(uow, list_id)
    async with runtime.database.reading() as session:
        assert await recipients.seen(session, list_id) is None
        assert await recipients.lists(session, ["commune"]) == []
    assert await check_lists(runtime) == 1
    assert await row_of(runtime, list_id) is None
    assert await lines_of(runtime, list_id) == []


async def test_a_list_that_is_removed_while_it_is_checked_is_left_alone(runtime: Runtime) -> None:
    list_id = await uploaded(runtime, large(10))
    async with runtime.units_of_work() as uow:
        assert await actions.take(uow, "mine")
    async with runtime.units_of_work(OFFICIAL) as uow:
        await actions.remove(uow, list_id)
    async with runtime.units_of_work() as uow:
        assert not await actions.checked(uow, list_id, "mine", fields=["Họ tên"])
    assert await check_lists(runtime) == 1
    assert not await is_kept(runtime, list_id)


def test_both_states_that_are_not_final_are_swept() -> None:
    assert CHECK_LISTS.every
    assert CHECK_LISTS.sweeps == "recipient list checking, recipient list removing"

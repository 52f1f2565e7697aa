"""Exports are read, compared, confirmed and applied once, whoever dies over them, and what is odd is said."""

import hashlib
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlmodel import delete, select

from bot.actions import dossier_imports as actions
from bot.actions.dossier_columns import save_columns
from bot.actions.dossier_counts import KINDS
from bot.clock import new_id
from bot.errors import InvalidInputError
from bot.importer import pieces
from bot.runtime import Runtime
from bot.store import dossier_imports
from bot.store.dossier_imports import DossierImportRow
from bot.store.dossier_notices import DossierNoticeRow
from bot.store.dossiers import DossierEventRow, DossierNoteRow, DossierRow
from bot.store.unit_of_work import Actor
from jobs import import_dossiers as job
from jobs.forget import forget
from jobs.import_dossiers import import_dossiers
from tests import commune
from tests.bot.sheets.files import xlsx

OFFICIAL = Actor("staff", "official", "Cán bộ")
HEADER = [
    "Mã hồ sơ", "Tên thủ tục", "Chủ hồ sơ", "Số điện thoại", "Ngày tiếp nhận", "Ngày hẹn trả", "Ngày có kết quả",
    "Trạng thái", "Ngày cập nhật",
]  # fmt: skip

_STATUSES = ("Đã tiếp nhận", "Đang xử lý", "Yêu cầu bổ sung giấy tờ", "Đã xử lý xong", "Đã trả kết quả", "Đi dạo")


def code(number: int) -> str:
    return f"000.00.01.H26-261118-{number:04d}"


def row(number: int, status: str, updated: str = "20/11/2026 09:00", due: str = "30/11/2026") -> list[Any]:
    name, phone = f"Nguyễn Văn Mẫu {number}", f"0900{number:06d}"
    return [code(number), "Cấp bản sao trích lục", name, phone, "18/11/2026 08:30", due, "", status, updated]


def export(rows: Sequence[Sequence[Any]]) -> bytes:
    return xlsx([["DANH SÁCH HỒ SƠ"], HEADER, *rows])


@pytest.fixture(autouse=True)
async def _commune(runtime: Runtime) -> None:
    async with runtime.units_of_work() as uow:
        await commune.build(uow)


async def handed_in(runtime: Runtime, data: bytes, unit: str = "commune", *, confirmed: bool = False) -> str:
    """Upload a file; returns its import."""
    import_id = new_id()
    await runtime.blobs.put(actions.blob_key(import_id), data)
    async with runtime.units_of_work(OFFICIAL) as uow:
        digest = hashlib.sha256(data).hexdigest()
        await actions.add(uow, import_id, unit, "xuat.xlsx", digest, "console", confirmed=confirmed)
    return import_id


async def looked(runtime: Runtime, data: bytes, unit: str = "commune") -> DossierImportRow:
    import_id = await handed_in(runtime, data, unit)
    await import_dossiers(runtime)
    return await row_of(runtime, import_id)


async def row_of(runtime: Runtime, import_id: str) -> DossierImportRow:
    async with runtime.database.reading() as session:
        found = await dossier_imports.one(session, import_id)
    assert found is not None
    return found


async def confirm(runtime: Runtime, import_id: str, *, nonetheless: bool = False) -> DossierImportRow:
    async with runtime.units_of_work(OFFICIAL) as uow:
        await actions.confirm(uow, import_id, nonetheless=nonetheless)
    await import_dossiers(runtime)
    return await row_of(runtime, import_id)


async def every(runtime: Runtime, table: Any) -> list[Any]:
    async with runtime.database.reading() as session:
        return list((await session.exec(select(table))).all())


def figures(it: DossierImportRow, prefix: str = "") -> dict[str, int]:
    return {kind: it.figures[f"{prefix}{kind}"] for kind in KINDS if it.figures[f"{prefix}{kind}"]}


async def test_an_export_is_looked_through_confirmed_and_applied_and_again_changes_nothing(runtime: Runtime) -> None:
    data = export([row(1, "Đang xử lý"), row(2, "Đã trả kết quả"), row(3, "Yêu cầu bổ sung giấy tờ")])
    it = await looked(runtime, data)
    assert (it.state, it.figures["rows"], figures(it)) == ("ready", 3, {"new": 3})
    assert await every(runtime, DossierRow) == []
    it = await confirm(runtime, it.id)
    assert (it.state, it.position, figures(it, "done_")) == ("applied", 3, {"new": 3})
    kept = {each.code: each for each in await every(runtime, DossierRow)}
    assert {number: kept[code(number)].status for number in (1, 2, 3)} == {1: 4, 2: 10, 3: 5}
    assert runtime.box.open(kept[code(1)].applicant) == "Nguyễn Văn Mẫu 1"
    assert len(await every(runtime, DossierNoticeRow)) == it.figures["done_told"] == it.figures["told"]

    again = await looked(runtime, data)
    assert (again.state, figures(again), again.warnings[0]["code"]) == ("applied", {"same": 3}, "same_file")
    mended = await looked(runtime, export([row(1, "Đang xử lý"), row(2, "Đã trả kết quả"), row(4, "Đang xử lý")]))
    assert (mended.state, figures(mended)) == ("ready", {"new": 1, "same": 2})
    assert len(await every(runtime, DossierEventRow)) == 3


async def test_corrections_backwards_and_odd_moves_are_flagged_on_the_dossier(runtime: Runtime) -> None:
    first = await looked(runtime, export([row(1, "Đã trả kết quả"), row(2, "Đã trả kết quả")]))
    await confirm(runtime, first.id)
    later = [row(1, "Đang xử lý", "19/11/2026 09:00"), row(2, "Đang xử lý", "21/11/2026 09:00")]
    it = await looked(runtime, export(later))
    assert figures(it) == {"backwards": 1, "odd": 1}
    it = await confirm(runtime, it.id)
    assert figures(it, "done_") == {"backwards": 1, "odd": 1}
    notes = await every(runtime, DossierNoteRow)
    assert {note.data["kind"] for note in notes} == {"backwards", "odd"}
    assert {each.code: each.status for each in await every(runtime, DossierRow)} == {code(1): 10, code(2): 4}


async def test_of_two_rows_of_one_dossier_the_later_status_counts(runtime: Runtime) -> None:
    rows = [row(1, "Đã xử lý xong", "20/11/2026 10:00"), row(2, "Đang xử lý"), row(1, "Đang xử lý", "19/11/2026 10:00")]
    it = await looked(runtime, export(rows))
    assert (it.figures["doubled"], figures(it)) == (1, {"new": 2})
    assert [(each["row"], each["details"]) for each in it.sample if each["kind"] == "remark"] == [(5, {"other": 3})]
    await confirm(runtime, it.id)
    assert {each.code: each.status for each in await every(runtime, DossierRow)} == {code(1): 9, code(2): 4}
    assert len(await every(runtime, DossierEventRow)) == 2


async def test_bad_rows_are_left_out_and_named_and_unknown_units_want_a_word(runtime: Runtime) -> None:
    header = [*HEADER, "Mã đơn vị"]
    rows = [
        [*row(1, "Đang xử lý"), "10183"],
        [*row(2, "Đang đi dạo"), "10183"],
        [*row(3, "Đang xử lý", "31/02/2026"), "10183"],
        [*row(4, "Đang xử lý"), "99999"],
    ]
    it = await looked(runtime, xlsx([header, *rows]))
    assert (it.state, it.figures["bad"], figures(it)) == ("ready", 2, {"new": 2})
    assert {warning["code"] for warning in it.warnings} == {"unknown_units", "unknown_statuses"}
    with pytest.raises(InvalidInputError, match="nonetheless"):
        await confirm(runtime, it.id)
    assert (await confirm(runtime, it.id, nonetheless=True)).state == "applied"
    unattended = await handed_in(runtime, xlsx([header, [*row(5, "Đang xử lý"), "99999"]]), confirmed=True)
    await import_dossiers(runtime)
    assert (await row_of(runtime, unattended)).state == "ready"


async def test_dossiers_of_other_units_are_left_out_and_named(runtime: Runtime) -> None:
    own = await looked(runtime, export([row(1, "Đang xử lý")]), "police")
    await confirm(runtime, own.id)
    async with runtime.units_of_work(OFFICIAL) as uow:
        await save_columns(uow, "commune", {}, {}, {"CA": "police"})
    taken = [*row(1, "Đã trả kết quả", "21/11/2026 09:00"), ""]
    taken[2:4] = ["Trần Thị Mẫu", "0900999999"]
    for_others = [*row(2, "Đang xử lý"), "CA"]
    data = xlsx([[*HEADER, "Mã đơn vị"], taken, for_others, [*row(3, "Đang xử lý"), ""]])
    it = await looked(runtime, data, "economy")
    assert (it.state, figures(it), it.figures["told"]) == ("ready", {"new": 1, "foreign": 2}, 1)
    assert [(each["code"], each["details"]["codes"]) for each in it.warnings if each["code"] == "foreign"] == [
        ("foreign", [code(1), code(2)])
    ]
    it = await confirm(runtime, it.id)
    assert figures(it, "done_") == {"new": 1, "foreign": 2}
    kept = {each.code: each for each in await every(runtime, DossierRow)}
    assert {each: (kept[each].path, kept[each].status) for each in kept} == {
        code(1): ("/commune/police/", 4), code(3): ("/commune/economy/", 4),
    }  # fmt: skip
    assert runtime.box.open(kept[code(1)].applicant) == "Nguyễn Văn Mẫu 1"
    only = await looked(runtime, xlsx([HEADER, taken[:-1]]), "economy")
    assert (only.state, figures(only, "done_")) == ("applied", {"foreign": 1})
    above = await looked(runtime, xlsx([HEADER, taken[:-1]]))
    assert figures(above) == {"changed": 1}


async def test_what_was_taken_by_another_unit_after_the_preview_stays_there(runtime: Runtime) -> None:
    it = await looked(runtime, export([row(1, "Đã trả kết quả", "21/11/2026 09:00")]), "economy")
    assert figures(it) == {"new": 1}
    own = await looked(runtime, export([row(1, "Đang xử lý")]), "police")
    await confirm(runtime, own.id)
    it = await confirm(runtime, it.id)
    assert (it.state, figures(it, "done_")) == ("applied", {"foreign": 1})
    assert [each.path for each in await every(runtime, DossierRow)] == ["/commune/police/"]


async def test_without_a_column_of_updates_each_export_follows_the_one_before(runtime: Runtime) -> None:
    def undated(status: str, name: str = "Cấp bản sao") -> bytes:
        return xlsx([HEADER[:-1], [code(1), name, *row(1, status)[2:-1]]])

    it = await looked(runtime, undated("Yêu cầu bổ sung giấy tờ"))
    assert [(each["code"], each["asks"]) for each in it.warnings[-1:]] == [("no_update_column", False)]
    await confirm(runtime, it.id)
    for turn, status in enumerate(("Đang xử lý", "Yêu cầu bổ sung giấy tờ", "Đang xử lý"), 1):
        it = await looked(runtime, undated(status, f"Cấp bản sao {turn}"))
        assert figures(it) == {"changed": 1}
        assert (it.warnings[-1]["details"], actions.asks(it)) == ({"number": 1}, True)
        it = await confirm(runtime, it.id, nonetheless=True)
        assert figures(it, "done_") == {"changed": 1}
        [kept] = await every(runtime, DossierRow)
        assert (kept.status, kept.procedure_name) == (5 if turn == 2 else 4, f"Cấp bản sao {turn}")
        again = await looked(runtime, undated(status, f"Cấp bản sao {turn} "))
        assert (again.state, figures(again)) == ("applied", {"same": 1})
    facts = await looked(runtime, undated("Đang xử lý", "Cấp bản sao trích lục"))
    assert (figures(facts), actions.asks(facts)) == ({"changed": 1}, False)
    await confirm(runtime, facts.id)
    assert [each.procedure_name for each in await every(runtime, DossierRow)] == ["Cấp bản sao trích lục"]
    assert len(await every(runtime, DossierEventRow)) == 4


async def test_the_lease_holds_while_doubled_rows_are_left_out(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row(1, "Đang xử lý", "19/11/2026 10:00"), row(1, "Đang xử lý")]
    import_id = await handed_in(runtime, export(rows))
    kept: list[str] = []

    async def stopping(runtime: Runtime, it: str, token: str) -> bool:
        if len(kept) == calls - 1:
            runtime.stopping.set()
        kept.append(token)
        return await go_on(runtime, it, token)

    go_on, calls = job._go_on, 4  # the columns, a chunk of rows, the end, the chunk again without the doubled row
    monkeypatch.setattr(job, "_go_on", stopping)
    await import_dossiers(runtime)
    it = await row_of(runtime, import_id)
    assert (it.state, it.lease, it.tries) == ("reading", None, 0)
    runtime.stopping.clear()
    monkeypatch.setattr(job, "_go_on", go_on)
    await import_dossiers(runtime)
    it = await row_of(runtime, import_id)
    assert (it.state, figures(it)) == ("ready", {"new": 1})


async def test_an_import_goes_on_where_it_was_when_a_process_died(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    monkeypatch.setattr(pieces, "SLICE", 2)
    it = await looked(runtime, export([row(number, "Đang xử lý") for number in range(1, 8)]))
    slices = 0

    async def dying(*what: Any) -> bool:
        nonlocal slices
        slices += 1
        if slices == 3:
            raise RuntimeError("died")
        return await apply(*what)

    apply = actions.apply
    monkeypatch.setattr(actions, "apply", dying)
    with pytest.raises(RuntimeError):
        await confirm(runtime, it.id)
    assert (await row_of(runtime, it.id)).position == 4
    assert await import_dossiers(runtime) == 0
    clock.forward(seconds=61)
    assert await import_dossiers(runtime) == 1
    it = await row_of(runtime, it.id)
    assert (it.state, it.position, figures(it, "done_")) == ("applied", 7, {"new": 7})
    assert len(await every(runtime, DossierEventRow)) == 7


async def test_a_file_that_was_cut_off_changes_nothing_and_says_where(runtime: Runtime) -> None:
    data = export([row(number, "Đang xử lý") for number in range(1, 400)])
    it = await looked(runtime, data[: len(data) // 2])
    assert (it.state, it.problems[0]["code"]) == ("refused", "cut_off")
    text = "\n".join(";".join(map(str, each)) for each in [HEADER, row(1, "Đang xử lý"), row(2, "Đang xử lý")])
    it = await looked(runtime, text[:-30].encode())
    assert (it.state, it.problems[0]) == ("refused", {"column": "", "code": "cut_off", "details": {"row": 2}})
    assert await every(runtime, DossierRow) == []


async def test_a_workbook_of_something_else_is_refused_with_its_columns(runtime: Runtime) -> None:
    it = await looked(runtime, xlsx([["Vật tư", "Số lượng"], ["Ví dụ", 5]]))
    assert (it.state, it.problems[0]["code"], it.columns) == ("refused", "no_columns", ["Vật tư", "Số lượng"])
    it = await looked(runtime, xlsx([["Số biên nhận gốc", *HEADER[1:]], row(1, "Đang xử lý")]))
    assert (it.state, it.problems[0]["code"]) == ("refused", "no_code_column")


_rows = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from(_STATUSES), st.integers(1, 23), st.integers(24, 30)),
    min_size=1,
    max_size=10,
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink a failure takes minutes, and says little more
)
@given(st.lists(_rows, min_size=1, max_size=3))
async def test_what_the_preview_says_is_what_is_applied_and_nothing_is_left_to_do(
    runtime: Runtime, files: list[list[tuple[int, str, int, int]]]
) -> None:
    async with runtime.units_of_work() as uow:
        for table in (DossierNoteRow, DossierNoticeRow, DossierEventRow, DossierRow, DossierImportRow):
            await uow.session.exec(delete(table))
    for rows in files:
        lines = [row(n, status, f"{day:02d}/11/2026 09:00", f"{due}/11/2026") for n, status, day, due in rows]
        it = await looked(runtime, export(lines))
        before = {each.id for each in await every(runtime, DossierNoticeRow)}
        if it.state == "ready":
            it = await confirm(runtime, it.id)
        assert (it.state, figures(it, "done_")) == ("applied", figures(it))
        assert it.figures["rows"] == sum(figures(it).values()) + it.figures["bad"] + it.figures["doubled"]
        # Of those noted before, some may have been taken back by what is known now.
        noted = {each.id for each in await every(runtime, DossierNoticeRow)} - before
        assert len(noted) == it.figures["done_told"] == it.figures["told"]
        # One row more, that says nothing: the bytes of a file that has been applied are not read again.
        again = await looked(runtime, export([*lines, ["x"]]))
        assert set(figures(again)) <= {"same"}


async def test_bad_rows_are_forgotten_in_time(runtime: Runtime, clock: Any) -> None:
    it = await looked(runtime, export([row(1, "Đang đi dạo"), row(2, "Đang xử lý")]))
    await confirm(runtime, it.id)
    assert await runtime.blobs.get(actions.blob_key(it.id, "bad/0"))
    await forget(runtime)
    assert await runtime.blobs.get(actions.blob_key(it.id, "bad/0"))
    clock.forward(days=200)
    await forget(runtime)
    with pytest.raises(FileNotFoundError):
        await runtime.blobs.get(actions.blob_key(it.id, "bad/0"))

"""Procedures come in from files without losing what the office has edited, and find the dossiers that name them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from sqlmodel import select

from bot.actions import procedures as actions
from bot.actions.dossiers import News, take_in
from bot.actions.procedure_file import read_procedures
from bot.actions.procedures import TABLE, Chosen, Kept, ProcedureImport, bring_in
from bot.domain.dossier import Status
from bot.errors import InvalidInputError, NotFoundError
from bot.runtime import Runtime
from bot.store import procedures
from bot.store.audit import AuditRow
from bot.store.dossiers import DossierRow
from bot.store.procedures import ProcedureRow
from bot.store.unit_of_work import Actor
from jobs import match_procedures
from jobs.worker import run_once
from tests.commune import build

AT = datetime(2026, 10, 1, 2, tzinfo=UTC)
HEAD = "Hình thức nộpThời gianPhí, lệ phíMô tả"


def record(number: int, days: int = 5, **told: str) -> dict[str, str]:
    return {
        "ma_thu_tuc": f"1.90000{number}",
        "ten_thu_tuc": f"Đăng ký nuôi cá {number}",
        "linh_vuc": "Thủy sản",
        "cap_thuc_hien": "Cấp tỉnh, Cấp xã",
        "cach_thuc_thuc_hien": f"{HEAD}Trực tiếp{days} Ngày làm việcMiễn phí",
        **told,
    }


def catalogue(folder: Path, *records: Any) -> Path:
    path = folder / "catalogue.jsonl"
    path.write_text("\n".join(json.dumps(each, ensure_ascii=False) for each in records), encoding="utf-8")
    return path


def table(folder: Path, text: str) -> Path:
    path = folder / "own.csv"
    path.write_text(text, encoding="utf-8-sig")
    return path


async def bring(runtime: Runtime, path: Path, chosen: Chosen | None = None, *, dry: bool = False) -> ProcedureImport:
    async with runtime.units_of_work() as uow:
        return await bring_in(uow, read_procedures(path), chosen, dry=dry)


async def rows(runtime: Runtime) -> dict[str, ProcedureRow]:
    async with runtime.database.reading() as session:
        return {row.code: row for row in (await session.exec(select(ProcedureRow))).all()}


async def save(runtime: Runtime, code: str, *, active: bool = True, **typed: str) -> ProcedureRow:
    row = (await rows(runtime))[code]
    untouched = {"name", "field", "days", "fee", "online", "url"} - typed.keys()
    async with runtime.units_of_work(Actor("staff", "an", "An")) as uow:
        return await actions.save(uow, row.id, typed, active=active, untouched=untouched)


async def test_a_catalogue_comes_in_once_and_only_what_changed_is_written(runtime: Runtime, tmp_path: Path) -> None:
    file = catalogue(tmp_path, record(1), record(2))
    first = await bring(runtime, file)
    assert (first.added, first.changed, first.same) == (["1.900001", "1.900002"], [], 0)
    before = await rows(runtime)
    assert (before["1.900001"].days, before["1.900001"].search) == (5, "1 900001 dang ky nuoi ca 1 thuy san")
    again = await bring(runtime, file)
    assert (again.added, again.changed, again.same) == ([], [], 2)
    changed = await bring(runtime, catalogue(tmp_path, record(1), record(2, 7)))
    assert (changed.added, changed.changed, changed.same) == ([], ["1.900002"], 1)
    after = await rows(runtime)
    assert (after["1.900002"].days, after["1.900002"].limit_words) == (7, "7 Ngày làm việc")
    assert after["1.900001"] == before["1.900001"]
    async with runtime.database.reading() as session:
        trail = (await session.exec(select(AuditRow).order_by(AuditRow.id))).all()
    assert [(row.action, row.data["added"], row.data["changed"]) for row in trail] == [
        ("procedure.import", 2, 0), ("procedure.import", 0, 1),
    ]  # fmt: skip


async def test_what_is_not_wanted_is_left_out(runtime: Runtime, tmp_path: Path) -> None:
    customs = record(3, linh_vuc="Hải quan")
    province = record(4, cap_thuc_hien="Cấp tỉnh")
    file = catalogue(tmp_path, record(1), customs, province)
    chosen = Chosen(without=("hai quan", "Thuế"), level="xã")
    done = await bring(runtime, file, chosen, dry=True)
    assert (done.added, done.left_out, done.unknown_fields) == (["1.900001"], 2, ["Thuế"])
    assert await rows(runtime) == {}
    await bring(runtime, file, Chosen(only=("HẢI QUAN",)))
    assert set(await rows(runtime)) == {"1.900003"}


async def test_what_the_office_edited_stays_and_the_difference_is_said(runtime: Runtime, tmp_path: Path) -> None:
    await bring(runtime, catalogue(tmp_path, record(1, trinh_tu_thuc_hien="Nộp rồi nhận.")))
    await save(runtime, "1.900001", days="3", fee="8.000 đồng")
    changed = catalogue(tmp_path, record(1, 7, trinh_tu_thuc_hien="Nộp, chờ, nhận."))
    said = Kept(1, "1.900001", {"days": (3, 7), "fee": (8_000, 0), "fee_words": ("", "Miễn phí")})
    done = await bring(runtime, changed)
    assert (done.changed, done.kept) == (["1.900001"], [said])
    row = (await rows(runtime))["1.900001"]
    assert (row.days, row.fee, row.details["steps"], row.edited_by) == (3, 8_000, "Nộp, chờ, nhận.", "an")
    again = await bring(runtime, changed)
    assert (again.changed, again.same, again.kept) == ([], 0, [said])
    async with runtime.units_of_work() as uow:
        await actions.follow_catalogue(uow, row.id)
    assert (await bring(runtime, changed)).kept == []
    assert (await rows(runtime))["1.900001"].days == 7


async def test_a_table_of_the_office_stands_above_the_catalogue(runtime: Runtime, tmp_path: Path) -> None:
    await bring(runtime, catalogue(tmp_path, record(1)))
    head = "code,name,days,fee,online,url\n"
    own = table(tmp_path, f"{head}1.900001.000.00.00.H26,Nuôi cá,4,10.000đ,Toàn trình,https://xa.example/1\n")
    assert (await bring(runtime, own)).changed == ["1.900001"]
    row = (await rows(runtime))["1.900001"]
    assert (row.name, row.field, row.days, row.fee, row.online) == ("Nuôi cá", "Thủy sản", 4, 10_000, "full")
    assert (row.full_code, row.edited_by) == ("1.900001.000.00.00.H26", TABLE)
    assert (await bring(runtime, own)).same == 1
    assert [kept.code for kept in (await bring(runtime, catalogue(tmp_path, record(1, 9)))).kept] == ["1.900001"]
    assert (await bring(runtime, table(tmp_path, f"{head}1.900001,Nuôi cá,6,miễn phí,,\n"))).changed == ["1.900001"]
    await save(runtime, "1.900001", days="2")
    assert (await bring(runtime, table(tmp_path, f"{head}1.900001,Nuôi cá,8,miễn phí,,\n"))).kept[0].differences == {
        "days": (2, 8)
    }


async def test_bad_lines_are_named_and_good_ones_go_in(runtime: Runtime, tmp_path: Path) -> None:
    file = catalogue(tmp_path, record(1), {"ma_thu_tuc": "cá"}, record(2, ten_thu_tuc=""), [1], record(1, 9))
    with file.open("a") as more:
        more.write("\n\n{nothing\n")
    done = await bring(runtime, file)
    assert done.added == ["1.900001"]
    assert [(bad.number, bad.problem, bad.value) for bad in done.problems] == [
        (2, "bad_code", "cá"), (3, "bad_name", "1.900002"), (4, "not_json", "[1]"),
        (5, "double_code", "1.900001 (1)"), (7, "not_json", "{nothing"),
    ]  # fmt: skip
    lines = [
        "1.900005,A,-1,,,",
        "1.900005,A,x,,,",
        "1.900005,A,,99999999999,,",
        "1.900005,A,,,nửa,",
        "1.900005,A,,,,x:y",
    ]
    own = await bring(runtime, table(tmp_path, "code,name,days,fee,online,url\n" + "\n".join(lines)))
    assert [(bad.number, bad.problem) for bad in own.problems] == [
        (2, "bad_days"), (3, "bad_days"), (4, "bad_fee"), (5, "bad_online"), (6, "bad_url"),
    ]  # fmt: skip


async def test_a_workbook_of_either_kind_is_read(runtime: Runtime, tmp_path: Path) -> None:
    own, national = Workbook(), Workbook()
    for line in (["Code", "Name", "Days", "Fee"], ["1.900001", "Nuôi cá", 4, "Tùy loại cá"]):
        own.active.append(line)  # type: ignore[union-attr] # a new workbook has a sheet
    for line in (list(record(2)), list(record(2).values())):
        national.active.append(line)  # type: ignore[union-attr] # a new workbook has a sheet
    own.save(tmp_path / "own.xlsx")
    national.save(tmp_path / "national.xlsx")
    await bring(runtime, tmp_path / "own.xlsx")
    await bring(runtime, tmp_path / "national.xlsx")
    found = await rows(runtime)
    assert (found["1.900001"].days, found["1.900001"].fee, found["1.900001"].fee_words) == (4, None, "Tùy loại cá")
    assert (found["1.900002"].days, found["1.900002"].field) == (5, "Thủy sản")


def test_a_file_that_is_no_list_of_procedures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="missing_columns"):
        read_procedures(table(tmp_path, "ten,tuoi\nCá,3\n"))


_KEYS = st.sampled_from([*record(1), "x"])
_JSON = st.recursive(
    st.none() | st.text(max_size=20) | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(_KEYS, inner)
)


@settings(max_examples=30)
@given(lines=st.lists(st.binary(max_size=40) | st.dictionaries(_KEYS, _JSON), max_size=4), begun=st.booleans())
def test_whatever_a_file_holds_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, lines: list[Any], *, begun: bool
) -> None:
    path = tmp_path_factory.mktemp("any") / "file"
    told = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes((b"{}\n" if begun else b"") + b"\n".join(told))
    try:
        found = read_procedures(path)
    except InvalidInputError:
        return
    for read in found:
        assert (read.procedure is None) == bool(read.problem)
        read.value.encode()


@pytest.mark.parametrize(
    ("typed", "field"),
    [({"name": " "}, "name"), ({"name": "x" * 1001}, "name"), ({"days": "-1"}, "days"), ({"url": "cá"}, "url"),
     ({"url": "http://[x"}, "url"), ({"online": "nửa"}, "online"), ({"fee": "9" * 11}, "fee")],
)  # fmt: skip
async def test_what_is_typed_wrong_is_refused(
    runtime: Runtime, tmp_path: Path, typed: dict[str, Any], field: str
) -> None:
    await bring(runtime, catalogue(tmp_path, record(1)))
    with pytest.raises(InvalidInputError) as refused:
        await save(runtime, "1.900001", **typed)
    assert refused.value.field == field


async def test_saving_without_a_change_marks_nothing(runtime: Runtime, tmp_path: Path) -> None:
    await bring(runtime, catalogue(tmp_path, record(1)))
    same: dict[str, Any] = {"name": "Đăng ký nuôi cá 1", "days": "5", "field": "Thủy sản", "online": "không"}
    assert (await save(runtime, "1.900001", **same)).edited_by is None
    ended = await save(runtime, "1.900001", active=False)
    assert (ended.active, ended.edited_by, ended.fee_words) == (False, None, "Miễn phí")
    async with runtime.units_of_work() as uow:
        with pytest.raises(NotFoundError):
            await actions.procedure_of(uow, "none")


async def test_procedures_are_found_with_and_without_accents(runtime: Runtime, tmp_path: Path) -> None:
    await bring(
        runtime, catalogue(tmp_path, record(1), record(2, ten_thu_tuc="Cấp 100% giấy"), record(3, linh_vuc="A"))
    )
    async with runtime.database.reading() as session:
        expected = {"nuoi ca": "31", "NUÔI thủy": "1", "1.900002": "2", "100%": "2", "ca nuoi thuy": "1", "_": "321"}
        for words, codes in expected.items():
            found = await procedures.search(session, words, limit=9)
            assert "".join(row.code[-1] for row in found) == codes, words
        assert [row.code for row in await procedures.search(session, "", "A", active=True, limit=9)] == ["1.900003"]
        assert [row.code[-1] for row in await procedures.search(session, limit=1, offset=1)] == ["2"]
        assert await procedures.fields(session) == {"A": 1, "Thủy sản": 2}


async def test_dossiers_that_came_before_find_their_procedure(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(match_procedures, "MATCHED_AT_ONCE", 2)
    monkeypatch.setattr(actions, "MATCHED_AT_ONCE", 2)
    async with runtime.units_of_work() as uow:
        await build(uow)
    said = {"procedure_code": "1.900001.000.00.00.H26"}
    named = {**said, "procedure_name": "Tên riêng", "field": "Khác"}
    told = [said, said, said, named, {"procedure_code": "1.900009"}]
    news = [News(f"H{n}", Status.ACCEPTED, AT, "economy", "/commune/economy/", facts) for n, facts in enumerate(told)]
    async with runtime.units_of_work() as uow:
        await take_in(uow, runtime.box, news, "import:test")
    await bring(runtime, catalogue(tmp_path, record(1)))
    assert await run_once(runtime, "match_procedures") == 4
    assert await run_once(runtime, "match_procedures") == 0
    await save(runtime, "1.900001", field="Cá cảnh")
    assert await run_once(runtime, "match_procedures") == 4
    async with runtime.database.reading() as session:
        found = (await session.exec(select(DossierRow).order_by(DossierRow.code))).all()
    assert [(row.procedure_name, row.field, row.procedure_id is not None) for row in found] == [
        *[("Đăng ký nuôi cá 1", "Cá cảnh", True)] * 3, ("Tên riêng", "Cá cảnh", True), ("", "", False),
    ]  # fmt: skip


async def test_dossiers_are_looked_through_once_and_by_a_reader(runtime: Runtime, tmp_path: Path) -> None:
    async with runtime.units_of_work() as uow:
        await build(uow)
    await bring(runtime, catalogue(tmp_path, record(1)))
    facts = {"procedure_code": "1.900001"}
    news = [News(f"H{n}", Status.ACCEPTED, AT, "economy", "/commune/economy/", facts) for n in range(7)]
    async with runtime.units_of_work() as uow:
        await take_in(uow, runtime.box, news, "import:test")
    await save(runtime, "1.900001", field="Cá cảnh")
    pages: list[list[str]] = []
    after: str | None = ""
    async with runtime.database.reading() as session:
        while after is not None:
            ids, after = await procedures.moved_after(session, after, 3)
            pages.append(ids)
        every = list((await session.exec(select(DossierRow.id).order_by(DossierRow.id))).all())
    assert [len(page) for page in pages] == [3, 3, 1]
    assert sorted(row_id for page in pages for row_id in page) == every
    async with runtime.units_of_work() as uow:
        assert await actions.move(uow, every) == 7
    async with runtime.units_of_work() as uow:
        # What somebody else has put right meanwhile is not written again.
        assert await actions.move(uow, every) == 0
        assert await actions.move(uow, []) == 0


async def test_what_is_in_use_is_offered_first(runtime: Runtime, tmp_path: Path) -> None:
    await bring(runtime, catalogue(tmp_path, record(1), record(2)))
    await save(runtime, "1.900001", active=False)
    async with runtime.database.reading() as session:
        for words in ("", "nuôi cá"):
            assert [row.code[-1] for row in await procedures.search(session, words, limit=9)] == ["2", "1"]

"""Lists are checked by a process of their own that is bounded, tells no phone, and is gone afterwards."""

import asyncio
import io
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from bot.checker.process import Bounds, Found, TooHeavyError, check, write
from bot.secrets import SecretBox
from bot.sheets.lines import Limits
from bot.store.recipients import Line
from tests.bot.sheets.files import OLE, large, ods, ods_cell, workbook_parts, xlsx, zipped

SECRET = "t" * 40
BOX = SecretBox(SECRET.encode())
HEADER = ["Họ tên", "Điện thoại", "Số tiền"]


async def checked(data: bytes, bounds: Bounds | None = None, **wanted: str) -> tuple[list[Line], Found]:
    rows: list[Line] = []
    async with aclosing(check(data, SECRET, bounds=bounds, **wanted)) as answers:
        async for answer in answers:
            if isinstance(answer, Found):
                return rows, answer
            rows += answer
    raise AssertionError


def children() -> set[int]:
    """Return the ids of the checkers that this process has started and that are alive."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        found |= {int(pid) for pid in (task / "children").read_text().split()}
    return {pid for pid in found if b"bot.checker" in Path(f"/proc/{pid}/cmdline").read_bytes()}


async def test_good_lines_come_with_fingerprints_and_encrypted_phones() -> None:
    rows, found = await checked(xlsx([HEADER, ["Ví Dụ", "0900 000 001", 500000], ["Thí Dụ", 900000002, 1]]))
    assert found == Found(["Họ tên", "Số tiền"], "Điện thoại", "phone", [])
    first, second = rows
    assert (first.n, first.recipient) == (2, f"phone:{BOX.fingerprint('84900000001')}")
    assert BOX.open(bytes.fromhex(first.address)) == "84900000001"
    assert json.loads(first.merged or "") == {"Họ tên": "Ví Dụ", "Số tiền": "500000"}
    assert (first.problems, first.cells) == (None, None)
    assert [problem["code"] for problem in json.loads(second.problems or "")] == ["zero_restored"]


async def test_bad_lines_keep_their_cells_encrypted_and_nobody_to_write_to() -> None:
    [row], _ = await checked(xlsx([HEADER, ["Ví Dụ", "09000", "=1+1"]]))
    assert (row.recipient, row.address, row.merged) == ("", "", None)
    assert [(p["column"], p["code"], p["severity"]) for p in json.loads(row.problems or "")] == [
        ("Số tiền", "formula", "error"),
        ("Điện thoại", "not_a_phone", "error"),
    ]
    assert row.cells
    assert json.loads(BOX.open(row.cells)) == {"Họ tên": "Ví Dụ", "Điện thoại": "09000", "Số tiền": ""}


async def test_numbers_of_people_beside_the_key_are_nowhere_in_clear() -> None:
    header = ["Họ tên", "Điện thoại", "CCCD", "Liên hệ", "Ghi chú"]
    people = [[f"Ví Dụ {n}", f"09000000{n:02}", f"0011900000{n:02}", f"09111111{n:02}", "ghi"] for n in range(60)]
    rows, found = await checked(xlsx([header, *people, ["Thí Dụ", "0900000099", "", "", "0922222222"]]))
    assert (found.fields, [it["column"] for it in found.left_out]) == (["Họ tên", "Ghi chú"], ["CCCD", "Liên hệ"])
    assert set(json.loads(rows[0].merged or "")) == {"Họ tên", "Ghi chú"}
    assert [it["code"] for it in json.loads(rows[-1].problems or "")] == ["personal_cell"]
    assert not any(number in str(rows) for number in ("00119", "0911", "0922"))


def files(folder: Path) -> list[Path]:
    return [it for it in folder.rglob("*") if it.is_file()]


async def test_few_workbooks_are_written_at_once_and_nothing_of_them_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    go_on, begun = asyncio.Event(), 0

    async def rows() -> AsyncIterator[list[str]]:
        nonlocal begun
        begun += 1
        yield ["Ví Dụ"]
        await go_on.wait()

    writing = [asyncio.create_task(write(rows(), "Danh sách", SECRET, "vi")) for _ in range(5)]
    async with asyncio.timeout(60):
        while begun < 2 or not files(tmp_path):  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.01)
    assert begun == len(children()) == 2
    writing[0].cancel()
    go_on.set()
    done = await asyncio.gather(*writing, return_exceptions=True)
    assert [type(it) for it in done] == [asyncio.CancelledError, bytes, bytes, bytes, bytes]
    assert files(tmp_path) == []


async def test_columns_and_files_that_cannot_be_used_are_refused_with_the_reason() -> None:
    assert (await checked(xlsx([["Họ tên", "Số tiền"], ["A", 1]])))[1].refused[0]["code"] == "no_key_column"
    assert (await checked(OLE + b"\x00" * 600))[1].refused[0]["code"] == "password"
    assert (await checked(xlsx([HEADER])))[1].refused[0]["code"] == "no_rows"
    assert (await checked(b"\n\n"))[1].refused[0]["code"] == "not_a_table"
    few = Bounds(limits=Limits(lines=3))
    assert (await checked(xlsx([HEADER, *([["A", "0900000001", 1]] * 3)]), few))[1].refused[0][
        "code"
    ] == "too_many_rows"
    _, found = await checked(xlsx([["Tên", "Liên hệ"], ["A", "0900000001"]]), wanted="Liên hệ", kind="phone")
    assert found.key_column == "Liên hệ"


async def test_what_takes_too_much_memory_or_time_ends_the_process_and_not_the_service() -> None:
    words = "".join(f"<si><t>{n:0200}</t></si>" for n in range(300_000))
    hoarding = zipped({**workbook_parts(""), "xl/sharedStrings.xml": f"<sst>{words}</sst>"})
    with pytest.raises(TooHeavyError):
        await checked(hoarding, Bounds(megabytes=100))
    header = ods_cell("Điện thoại") + "".join(ods_cell(f"Cột {n}") for n in range(49))
    row = f'<table:table-row table:number-rows-repeated="99000">{ods_cell("x" * 20, repeated=50)}</table:table-row>'
    for bounds in (Bounds(cpu_seconds=1), Bounds(seconds=0.01)):
        with pytest.raises(TooHeavyError):
            await checked(ods([header, row]), bounds)
    assert children() == set()


async def test_a_check_that_nobody_waits_for_is_ended() -> None:
    async with aclosing(check(large(5000), SECRET)) as answers:
        assert isinstance(await anext(answers), list)
        assert len(children()) == 1
    assert children() == set()
    task = asyncio.create_task(checked(large(5000)))
    async with asyncio.timeout(30):
        while not children():  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert children() == set()


async def test_a_workbook_of_bad_lines_has_the_reasons_last_and_no_formula() -> None:
    rows, _ = await checked(xlsx([HEADER, ["=cmd|x", "09000", 5], ["Ví Dụ", None, 5]]))
    assert all(row.cells for row in rows)

    async def bad() -> AsyncIterator[dict[str, Any]]:
        for row in rows:
            assert row.cells is not None
            yield {"cells": row.cells.decode(), "problems": json.loads(row.problems or "")}

    data = await write(bad(), "Lý do lỗi", SECRET, "vi")
    sheet = load_workbook(io.BytesIO(data)).active
    assert sheet is not None
    lines = [list(line) for line in sheet.iter_rows(values_only=True)]
    assert lines[0] == [*HEADER, "Lý do lỗi"]
    assert "Điện thoại: Ô bắt buộc" in str(lines[2][3])
    assert "f" not in {cell.data_type for line in sheet.iter_rows() for cell in line}
    assert "formula" not in str(lines)

    # Put right, the file can come back as it is: the reasons are left aside.
    lines[1][:3], lines[2][1] = ["Ví Dụ", "0900000001", "5"], "0900000002"
    again, found = await checked(xlsx(lines))
    assert found.fields == ["Họ tên", "Số tiền"]
    assert all(row.recipient for row in again)


async def test_texts_that_begin_like_a_formula_are_written_as_texts() -> None:
    async def rows() -> AsyncIterator[list[str]]:
        yield ["=1+1", "+84900000001", "\x01x"]

    sheet = load_workbook(io.BytesIO(await write(rows(), "A", SECRET, "vi"))).active
    assert sheet is not None
    [line] = sheet.iter_rows()
    assert [cell.value for cell in line] == ["=1+1", "+84900000001", "x"]
    assert "f" not in {cell.data_type for cell in line}

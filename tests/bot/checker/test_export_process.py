"""What an export says leaves the reading process in lines that are short enough to be kept by whoever asked."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from bot.checker import export_process
from bot.checker.export_process import Task
from bot.secrets import SecretBox

SECRET = "a-secret-of-tests-that-is-long-enough"
HEADER = ["Mã hồ sơ", "Trạng thái", "Ngày tiếp nhận", *(f"Ghi chú {n}" for n in range(17))]


async def _source(rows: list[list[str]], header: list[str] = HEADER) -> AsyncIterator[bytes]:
    for row in [header, *rows]:
        yield ("\t".join(row) + "\n").encode()


async def test_long_rows_leave_in_more_lines_so_that_none_is_many_megabytes() -> None:
    long = ["đ" * 490] * 17
    good = [[f"000.00.01.H26-261118-{n:04d}", "Đang xử lý", "18/11/2026", *long] for n in range(200)]
    bad = [[f"000.00.01.H26-261118-{n:04d}", "Đi dạo", "18/11/2026", *long] for n in range(200, 400)]
    task, box = Task("commune", datetime(2026, 11, 20, tzinfo=UTC)), SecretBox(SECRET.encode())
    answers = [each async for each in export_process.read(_source([*good, *bad]), SECRET, task)]
    kept = [export_process.rows_of(each["good"].encode(), box) for each in answers if "good" in each]
    left = [export_process.bad_rows_of(each["bad"].encode(), box) for each in answers if "bad" in each]
    assert [row.code for chunk in kept for row in chunk] == [row[0] for row in good]
    assert [cells["Mã hồ sơ"] for chunk in left for _, cells, _ in chunk] == [row[0] for row in bad]
    assert len(left) > 1
    assert max(len(each.get("bad", each.get("good", ""))) for each in answers) < 3_000_000


async def test_long_names_of_columns_count_too_since_they_stand_beside_every_bad_row() -> None:
    header = [*HEADER, *(f"{'tên cột rất dài ' * 6}{n}" for n in range(60))]
    bad = [[f"000.00.01.H26-261118-{n:04d}", "Đi dạo", "18/11/2026"] for n in range(1000)]
    task = Task("commune", datetime(2026, 11, 20, tzinfo=UTC))
    answers = [each async for each in export_process.read(_source(bad, header), SECRET, task)]
    left = [len(each["bad"]) for each in answers if "bad" in each]
    assert answers[-1]["done"]["bad"] == 1000
    assert max(left) < 3_000_000

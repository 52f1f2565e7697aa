"""Rows of exports: columns by any usual name, moments by the row's own dates, every mistake named with its column."""

import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import LOCAL_ZONE
from bot.domain.dossier import Status
from bot.domain.dossier_cells import Instants, Remembered, cell_text, read_cell, read_fee, read_online, unit_key
from bot.domain.dossier_columns import USUAL_HEADERS, Column, Layout, read_header
from bot.domain.dossier_table import RowReader, Told
from bot.domain.text import fold

CODE = "000.00.01.H26-261118-0001"
NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)
NAMES = ("Mã hồ sơ", "Trạng thái", "Ngày tiếp nhận", "Ngày hẹn trả", "Ngày có kết quả", "Ngày trả kết quả", "Lý do")


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def told(*cells: str, names: tuple[str, ...] = NAMES) -> Told:
    found, problems = RowReader(read_header([names], {})[1], {}, NOW).read(cells)
    assert found is not None, problems
    return found


def wrong(*cells: str) -> list[tuple[str, str]]:
    found, problems = RowReader(read_header([NAMES], {})[1], {}, NOW).read(cells)
    assert found is None
    return [(problem.column, problem.code) for problem in problems]


def test_usual_names_are_found_with_and_without_accents_in_any_case() -> None:
    for column, names in USUAL_HEADERS.items():
        for name in names:
            for written in (name, name.upper(), fold(name), unicodedata.normalize("NFD", name), f" {name}: "):
                layout = read_header([[written, "STT", "Mã hồ sơ", "Trạng thái"]], {})[1]
                assert column in layout.places, name
    every = [fold(name) for names in USUAL_HEADERS.values() for name in names]
    assert len(set(every)) == len(every)


def test_the_header_stands_below_titles_and_the_office_names_columns_itself() -> None:
    lines = [["DANH SÁCH HỒ SƠ"], ["Từ ngày", "01/11/2026"], ["STT", "Số biên nhận gốc", *NAMES[1:]], ["1", CODE]]
    assert read_header(lines, {})[1].missing == [Column.CODE]
    index, layout = read_header(lines, {"so bien nhan goc": "code", "trang thai": ""})
    assert (index, layout.places[Column.CODE], layout.missing) == (2, 1, [Column.STATUS])
    assert read_header([["Vật tư", "Số lượng"]], {}) == (-1, Layout((), {}))
    both = read_header([["Ghi chú", "Lý do", "Mã hồ sơ"]], {})[1]
    assert both.places[Column.REASON] == 1


@pytest.mark.parametrize(
    ("status", "received", "finished", "returned", "moment"),
    [
        ("Đã tiếp nhận", "18/11/2026 08:30", "", "", at(18, 1, 30)),
        ("Đã xử lý xong", "18/11/2026 08:30", "20/11/2026", "", at(20, 10)),
        ("Đã xử lý xong", "18/11/2026 08:30", "18/11/2026", "", at(18, 10)),
        ("Đã xử lý xong", "18/11/2026 18:30", "18/11/2026", "", at(18, 11, 30)),
        ("Đã trả kết quả", "18/11/2026", "20/11/2026 10:00", "20/11/2026", at(20, 10)),
        ("Đã trả kết quả", "18/11/2026", "20/11/2026 18:00", "20/11/2026", at(20, 11)),
        ("Đang xử lý", "18/11/2026 08:30", "", "", at(18, 1, 30)),
        ("Đang xử lý", "18/11/2026 08:30", "20/11/2026", "", at(18, 1, 30)),
        ("Từ chối", "18/11/2026", "19/11/2026", "", at(19, 10)),
    ],
)
def test_the_moment_comes_from_the_rows_own_dates(
    status: str, received: str, finished: str, returned: str, moment: datetime
) -> None:
    assert told(CODE, status, received, "", finished, returned).at == moment


def test_the_day_of_the_update_goes_before_all_others_and_appointments_never_count() -> None:
    names = (*NAMES, "Ngày cập nhật")
    assert told(CODE, "4", "18/11/2026", "30/11/2026", "", "", "", "19/11/2026 09:00", names=names).at == at(19, 2)
    assert told(CODE, "4", "18/11/2026", "30/11/2026").at == at(17, 17)
    done = told(CODE, "9", "18/11/2026", "30/11/2026", "", "", "", "19/11/2026", names=names)
    assert done.at == at(19, 10)


def test_only_what_tells_no_moment_at_all_is_derived() -> None:
    assert [told(CODE, status, "18/11/2026").derived for status in ("2", "4", "5", "6", "9")] == [
        False, True, True, True, False,
    ]  # fmt: skip
    names = (*NAMES, "Ngày cập nhật")
    assert not told(CODE, "4", "18/11/2026", "", "", "", "", "19/11/2026", names=names).derived


def test_what_has_not_happened_yet_is_a_mistake_and_appointments_lie_ahead() -> None:
    names = (*NAMES, "Ngày cập nhật")
    found, problems = RowReader(read_header([names], {})[1], {}, NOW).read(
        (CODE, "4", "18/11/2026", "", "", "", "", "05/11/2062")
    )
    assert (found, [(each.column, each.code) for each in problems]) == (None, [("Ngày cập nhật", "in_future")])
    assert wrong(CODE, "4", "29/11/2026") == [("Ngày tiếp nhận", "in_future")]
    assert wrong(CODE, "9", "18/11/2026", "", "28/12/2026") == [("Ngày có kết quả", "in_future")]
    assert told(CODE, "4", "28/11/2026 09:00").at == at(28, 2)
    assert told(CODE, "4", "18/11/2026", "18/11/2030").facts["due_at"].startswith("2030")
    assert wrong(CODE, "4", "18/11/2026", "30/11/2062") == [("Ngày hẹn trả", "too_far_ahead")]


def test_facts_are_what_is_known_by_then() -> None:
    row = told(CODE, "Đang xử lý", "18/11/2026", "30/11/2026", "29/11/2026", "", "chuyển phòng")
    assert row.facts == {"received_at": at(17, 17).isoformat(), "due_at": at(30, 10).isoformat()}
    assert told(CODE, "Từ chối", "18/11/2026", "", "", "", "Thiếu giấy tờ").facts["reason"] == "Thiếu giấy tờ"


def test_every_mistake_is_named_with_its_column() -> None:
    assert wrong("", "Đi dạo", "31/02/2026") == [
        ("Mã hồ sơ", "no_code"), ("Trạng thái", "unknown_status"), ("Ngày tiếp nhận", "not_a_date"),
    ]  # fmt: skip
    assert wrong("123", "", "18/11/2026") == [("Mã hồ sơ", "not_a_code"), ("Trạng thái", "no_status")]
    assert wrong(CODE, "4", "") == [("Ngày tiếp nhận", "no_moment")]
    assert wrong(CODE, "4", "18/11/2026", "01/11/2026") == [("Ngày hẹn trả", "due_before_received")]


def test_words_of_the_office_go_before_the_usual_ones() -> None:
    layout = read_header([NAMES], {})[1]
    found, _ = RowReader(layout, {"dang di dao": 5, "dang xu ly": 2}, NOW).read([CODE, "Đang đi dạo", "18/11/2026"])
    assert found is not None
    assert found.status is Status.SUPPLEMENT
    found, _ = RowReader(layout, {"dang xu ly": 2}, NOW).read([CODE, "ĐANG XỬ LÝ", "18/11/2026"])
    assert found is not None
    assert found.status is Status.ACCEPTED


def test_people_units_fees_and_the_way_of_filing() -> None:
    names = (*NAMES[:3], "Chủ hồ sơ", "Số điện thoại", "Cơ quan", "Lệ phí", "Hình thức nộp")
    cells = (CODE, "4", "18/11/2026", "Nguyễn Văn Mẫu", "0900 000 001", "UBND xã Thanh Oai", "15.000 đ", "Trực tuyến")
    row = told(*cells, names=names)
    assert (row.applicant, row.phone, row.unit) == ("Nguyễn Văn Mẫu", "84900000001", "xa thanh oai")
    assert (row.facts["fee"], row.facts["online"]) == (15000, True)
    row = told(CODE, "4", "18/11/2026", "A", "12", "", "0", "Trực tiếp", names=names)
    assert (row.phone, [problem.code for problem in row.remarks], row.facts["online"]) == ("", ["not_a_phone"], False)
    fees = {"15,000": 15000, "15000.00": 15000, "15.000,00 đ": 15000, "miễn phí": None, "1.500.000": 1500000}
    assert {text: read_fee(text) for text in fees} == fees
    assert read_online("khác") is None
    assert [read_online(number) for number in ("0", "1", "2", "3")] == [None, False, True, False]
    assert [read_online(word) for word in ("Có", "Không", "Nộp trực tuyến", "Bưu chính")] == [True, False, True, False]
    assert unit_key("Uỷ ban nhân dân xã Thanh Oai") == unit_key("UBND Xã Thanh Oai")


def test_cells_that_are_serial_numbers_of_a_spreadsheet() -> None:
    assert read_cell("46344") == at(17, 17)
    assert read_cell("46344,5") == at(18, 5)
    assert read_cell("46344", closing=True) == at(18, 10)
    assert read_cell("1234") is None


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)))  # noqa: DTZ001 - a wall clock's
def test_moments_are_read_back_as_they_are_written(moment: datetime) -> None:
    usual, iso = moment.strftime("%d/%m/%Y %H:%M:%S"), moment.strftime("%Y-%m-%d %H:%M:%S")
    assert read_cell(usual) == read_cell(iso) == moment.replace(microsecond=0, tzinfo=LOCAL_ZONE).astimezone(UTC)


_DATES = st.builds("{:02}/{:02}/{}".format, st.integers(0, 32), st.integers(0, 13), st.integers(1998, 2051))
_CLOCKS = st.builds("{}{:02}:{:02}".format, st.sampled_from([" ", "  ", ", "]), st.integers(0, 24), st.integers(0, 60))
_ENDINGS = st.sampled_from(["", "", ":07", ":60", " ", "\n", "x", " CH", ".5"])


@given(st.builds("{}{}{}".format, _DATES, st.one_of(st.just(""), _CLOCKS), _ENDINGS), st.booleans())
def test_a_moment_in_the_usual_form_is_that_of_the_many_forms(cell: str, closing: bool) -> None:
    found = Instants().read(cell, closing=closing)
    moment = read_cell(cell_text(cell), closing=closing)
    assert found == (moment, cell_text(cell) if moment is None else moment.isoformat())


def test_what_is_remembered_of_cells_stays_small() -> None:
    known = Remembered(len)
    assert all(known[f"{n}"] == len(f"{n}") for n in [*range(10_000), *range(10)])
    assert known["x" * 1000] == 1000
    assert len(known) < 5000
    assert "x" * 1000 not in known

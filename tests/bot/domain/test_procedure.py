"""What is read of the national catalogue's records, whose tables are glued together, and what is left unread."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.procedure import FULL, PART, Procedure, codes, read_record
from bot.domain.procedure_table import limit_of, price_of, ways

HEAD = "Hình thức nộpThời gianPhí, lệ phíMô tả"
RECORD = {
    "ma_thu_tuc": "1.900001",
    "detail_url": "https://dvc.example/thu-tuc/1",
    "ten_thu_tuc": "Thủ tục đăng ký\n nuôi cá cảnh ",
    "cap_thuc_hien": "Cấp tỉnh, Cấp xã",
    "linh_vuc": "Thủy sản",
    "co_quan_co_tham_quyen": "",
    "co_quan_thuc_hien": "Ủy ban Nhân dân\xa0xã",
    "cach_thuc_thuc_hien": f"{HEAD}Trực tuyến5 Ngày làm việcMiễn phíNộp trên Cổng.Trực tiếp7 Ngày làm việcMiễn phí",
    "thanh_phan_ho_so": "--Tên giấy tờMẫu đơn, tờ khaiSố lượngTờ khaiMau.doc1 bản chínhẢnh bể cá0 bản chính, 1 bản sao",
    "trinh_tu_thuc_hien": "Bước 1: Nộp.\n\n  Bước 2:\tNhận.",
    "can_cu_phap_ly": "Tên văn bản pháp lýMã văn bảnNghị định về cá cảnh01/2026/NĐ-CP",
    "yeu_cau_dieu_kien": "Không có thông tinTừ khóaKhông có thông tinMô tảKhông có thông tin",
    "ket_qua_xu_ly": "Giấy xác nhận nuôi cá.Mã: KQ.G01.0001Từ khóaKhông có thông tinChọn cơ quan thực hiện",
}  # fmt: skip


def test_a_record_is_read_into_plain_values() -> None:
    assert read_record(RECORD) == Procedure(
        code="1.900001",
        full_code="",
        name="Thủ tục đăng ký nuôi cá cảnh",
        field="Thủy sản",
        agency="Ủy ban Nhân dân xã",
        level="Cấp tỉnh, Cấp xã",
        days=7,
        limit_words="5 Ngày làm việc; 7 Ngày làm việc",
        fee=0,
        fee_words="Miễn phí",
        online=PART,
        online_url="https://dvc.example/thu-tuc/1",
        details={
            "papers": "Tờ khaiMau.doc1 bản chính\nẢnh bể cá0 bản chính, 1 bản sao",
            "steps": "Bước 1: Nộp.\nBước 2: Nhận.",
            "ways": "Trực tuyến: 5 Ngày làm việc; Miễn phí; Nộp trên Cổng.\nTrực tiếp: 7 Ngày làm việc; Miễn phí",
            "result": "Giấy xác nhận nuôi cá.",
            "legal_basis": "Nghị định về cá cảnh01/2026/NĐ-CP",
        },
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.900001", ("1.900001", "")),
        (" 1.900001.000.00.00.h26 ", ("1.900001", "1.900001.000.00.00.H26")),
        ("1.90001", ("", "")),
        ("cá cảnh", ("", "")),
        ("", ("", "")),
    ],
)
def test_codes_are_told_from_anything_else(text: str, expected: tuple[str, str]) -> None:
    assert codes(text) == expected


def test_the_office_can_say_where_it_is_filed() -> None:
    record = {**RECORD, "ma_thu_tuc": "1.900001.000.00.00.H26"}
    link = "https://xa.example/nop?ma={code}&day_du={full_code}"
    assert read_record(record, link).online_url == "https://xa.example/nop?ma=1.900001&day_du=1.900001.000.00.00.H26"
    assert read_record(RECORD, "https://xa.example/{full_code}").online_url == "https://xa.example/1.900001"


@pytest.mark.parametrize(
    ("name", "table", "online"),
    [
        ("Cấp biển bằng dịch vụ công trực tuyến toàn trình", "Trực tuyến2 GiờMiễn phí", FULL),
        ("Cấp biển bằng dịch vụ công trực tuyến một phần", "Trực tiếp2 GiờMiễn phí", PART),
        ("Cấp biển trực tuyến toàn trình hoặc một phần", "Trực tiếp2 GiờMiễn phí", PART),
        ("Cấp biển", "Trực tuyến2 GiờMiễn phí", PART),
        ("Cấp biển", "Trực tiếp2 GiờMiễn phí", ""),
    ],
)
def test_whether_it_is_online_is_what_its_words_say(name: str, table: str, online: str) -> None:
    read = read_record({**RECORD, "ten_thu_tuc": name, "cach_thuc_thuc_hien": HEAD + table})
    assert (read.online, bool(read.online_url)) == (online, bool(online))


@pytest.mark.parametrize(
    ("table", "days", "words"),
    [
        ("Trực tiếp30 Ngày làm việcMiễn phí", 30, "30 Ngày làm việc"),
        ("Trực tiếp7 NgàyKhông có thông tin", 5, "7 Ngày"),
        ("Trực tiếp7 NgàyKhông có thông tin07 ngày làm việc, kể từ ngày nhận đủ", 7, "7 Ngày"),
        ("Trực tiếp7 NgàyKhông có thông tintrong 17 ngày làm việc", 5, "7 Ngày"),
        ("Trực tuyến9 GiờMiễn phí", 2, "9 Giờ"),
        ("Trực tiếp2 ThángMiễn phí", 43, "2 Tháng"),
        ("Trực tiếp1 TuầnMiễn phí", 5, "1 Tuần"),
        ("Trực tuyến5Miễn phí(Mức lệ phí do tỉnh quyết định)Trực tiếp3Miễn phí", 5, "5; 3"),
        ("Trực tuyến1Miễn phí(Mức lệ phí do tỉnh quyết định)", None, "1"),
        ("Trực tuyến1Miễn phíTrực tiếp6 Ngày làm việcMiễn phí", None, "1; 6 Ngày làm việc"),
        ("Trực tiếpKhông có thông tin30,000 Việt Nam Đồng(/việc)", None, ""),
        ("Trực tiếpKhông có thông tinMiễn phíDịch vụ bưu chính4 Ngày làm việcMiễn phí", 4, "4 Ngày làm việc"),
        ("Trực tiếpKhông phải trả kết quả cho người nộpMiễn phí", None, "Không phải trả kết quả cho người nộp"),
        ("Trực tuyến120 VNĐ(20.000 đ/tờ khai)", None, "120 VNĐ"),
        ("Trực tiếp0Miễn phí", None, "0"),
        ("6 Ngày làm việc", None, ""),
        ("", None, ""),
    ],
)
def test_the_longest_limit_is_read_and_its_words_are_kept(table: str, days: int | None, words: str) -> None:
    assert limit_of(ways(HEAD + table)) == (days, words)


_AFTERNOON = "sau 15 giờ thì hẹn, trả kết quả cho người nộp trong ngày làm việc tiếp theo"
_ONE = "Trực tuyến1Miễn phí(Theo quy định của tỉnh)"


@pytest.mark.parametrize(
    ("table", "steps", "days", "words"),
    [
        (_ONE, f"Bước 1: Nộp; nếu nhận  hồ sơ\n {_AFTERNOON} (nếu nộp trực tiếp).", 0, _AFTERNOON),
        ("Trực tiếpKhông có thông tin8,000 VNĐ", f"Nếu nhận {_AFTERNOON}.", 0, _AFTERNOON),
        (_ONE, "Trả kết quả ngay trong ngày tiếp nhận hồ sơ.", 0, "Trả kết quả ngay trong ngày tiếp nhận"),
        (_ONE, "Trả kết quả trong ngày làm việc tiếp theo nếu nộp cá sau 15h.", 0,
         "Trả kết quả trong ngày làm việc tiếp theo nếu nộp cá sau 15h"),
        (_ONE, "Trả kết quả trong ngày làm việc tiếp theo.", None, "1"),
        (_ONE, "Có phiếu hẹn (nếu bổ sung cá sau 15 giờ), trả kết quả trong ngày làm việc tiếp theo.", None, "1"),
        (_ONE, "Trả kết quả trong ngày thứ ba. Trả kết quả trong ngày 5 hằng tháng.", None, "1"),
        ("Trực tiếp3 Ngày làm việcMiễn phí", f"Nếu nhận {_AFTERNOON}.", 3, "3 Ngày làm việc"),
        (f"{_ONE}Trực tiếp6 Ngày làm việcMiễn phí", f"Nếu nhận {_AFTERNOON}.", None, "1; 6 Ngày làm việc"),
        ("Trực tuyến120 VNĐ(20.000 đ/tờ khai)", f"Nếu nhận {_AFTERNOON}.", None, "120 VNĐ"),
        ("Trực tiếpTrong ngàyMiễn phí", "", 0, "Trong ngày"),
        ("Trực tiếpTrong ngàyMiễn phíTrực tuyến2 Ngày làm việcMiễn phí", "", 2, "Trong ngày; 2 Ngày làm việc"),
    ],
)  # fmt: skip
def test_a_result_on_the_same_day_is_read_off_the_steps_where_the_table_tells_no_time(
    table: str, steps: str, days: int | None, words: str
) -> None:
    read = read_record({**RECORD, "cach_thuc_thuc_hien": HEAD + table, "trinh_tu_thuc_hien": steps})
    assert (read.days, read.limit_words) == (days, words)


@pytest.mark.parametrize(
    ("table", "fee", "words"),
    [
        ("Trực tiếp5 NgàyMiễn phí(Không có)Mô tả", 0, "Miễn phí (Không có)"),
        ("Trực tiếp5Miễn phí(Theo quyết định (nếu có) của tỉnh)", None, "Miễn phí (Theo quyết định (nếu có) của tỉnh)"),
        ("Trực tiếpKhông có thông tin30,000 Việt Nam Đồng(/việc)", 30_000, "30,000 Việt Nam Đồng (/việc)"),
        ("Trực tiếp2 Ngày70,000 VNĐ(70.000 đồng/giấy)", 70_000, "70,000 VNĐ (70.000 đồng/giấy)"),
        ("Trực tiếp2 Ngày5,000 VNĐ(trực tuyến thu 7.000 đồng)", None, "5,000 VNĐ (trực tuyến thu 7.000 đồng)"),
        ("Trực tiếp1 Ngày40 Việt Nam Đồng(40.000đ)", None, "40 Việt Nam Đồng (40.000đ)"),
        ("Trực tiếp1 Ngày10 USD(/bản)", None, "10 USD (/bản)"),
        ("Trực tuyến120,000 VNĐTrực tiếp120,000 VNĐ", None, "120,000 VNĐ"),
        ("Trực tuyến3 Ngày5,000 VNĐTrực tiếp3 Ngày9,000 VNĐ", None, "5,000 VNĐ; 9,000 VNĐ"),
        ("Trực tuyến3 NgàyKhông có thông tinTrực tiếp3 Ngày9,000 VNĐ", 9_000, "9,000 VNĐ"),
        ("Trực tiếp7 NgàyKhông có thông tin", None, ""),
    ],
)
def test_a_fee_is_read_where_nothing_speaks_against_it(table: str, fee: int | None, words: str) -> None:
    assert price_of(ways(HEAD + table)) == (fee, words)


_PIECES = st.sampled_from(
    ["sau 15 giờ", " trả kết quả", " trong ngày", " làm việc tiếp theo",
     "Trực tiếp", "Trực tuyến", "Dịch vụ bưu chính", "Miễn phí", "Không có thông tin", " Ngày", " làm việc", " Giờ",
     "(", ")", "1", "20,000", " VNĐ", " USD", HEAD, "Mã:", "\n", "--", " bản chính", "١", "²", "\ud800", "toàn trình"]
)  # fmt: skip
_TEXTS = st.one_of(st.text(max_size=60), st.lists(_PIECES, max_size=25).map("".join))


@given(st.dictionaries(st.sampled_from(sorted(RECORD)), st.one_of(_TEXTS, st.none(), st.integers(), st.lists(_TEXTS))))
def test_nothing_that_a_record_may_hold_raises(record: dict[str, Any]) -> None:
    read = read_record(record)
    assert read.days is None or read.days >= 0
    assert read.fee is None or read.fee >= 0
    assert all(isinstance(text, str) and text for text in read.details.values())
    assert read == read_record(record)

"""Tests of recognising what citizens type."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.words import MenuWord, case_code, menu_word, number_choice, rating_word

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Phản ánh", MenuWord.REPORT),
        ("phan anh", MenuWord.REPORT),
        ("phản ảnh", MenuWord.REPORT),
        ("#phananh", MenuWord.REPORT),
        ("PHẢNÁNH!!!", MenuWord.REPORT),
        ("gui phan anh", MenuWord.REPORT),
        ("Dạ cho em phản ánh với ạ", MenuWord.REPORT),
        ("Tra cứu hồ sơ", MenuWord.LOOKUP),
        ("tracuuhoso", MenuWord.LOOKUP),
        ("hoi dap thu tuc", MenuWord.ASK),
        ("Thông báo của thôn", MenuWord.ANNOUNCEMENTS),
        ("thong bao", MenuWord.ANNOUNCEMENTS),
        ("lien he", MenuWord.CONTACT),
        ("/start", MenuWord.MENU),
        ("trợ giúp", MenuWord.HELP),
        ("phản ánh của tôi", MenuWord.MY_CASES),
        ("phan anh cua toi", MenuWord.MY_CASES),
        ("thông báo của tôi", MenuWord.MY_TOPICS),
        ("chon thon", MenuWord.MY_AREAS),
        ("đổi tổ dân phố", MenuWord.MY_AREAS),
        ("dong y nhan tin quang ba", MenuWord.AGREE_ADVERTS),
        ("Tôi đồng ý nhận tin quảng bá ạ", MenuWord.AGREE_ADVERTS),
        ("thôi nhận tin quảng bá", MenuWord.REFUSE_ADVERTS),
        ("dung nhan tin quang ba", MenuWord.REFUSE_ADVERTS),
        ("nhận tin", MenuWord.RESUME),
        ("dừng nhận tin", MenuWord.STOP),
        ("huỷ", MenuWord.CANCEL),
        ("hủy", MenuWord.CANCEL),
        ("hũy", MenuWord.CANCEL),
        ("HUY", MenuWord.CANCEL),
        ("#huy", MenuWord.CANCEL),
        ("huy bo", MenuWord.CANCEL),
        ("thoát", MenuWord.CANCEL),
        ("thoat ạ", MenuWord.CANCEL),
        ("Cancel", MenuWord.CANCEL),
        ("dừng", MenuWord.STOP),
        ("#dung", MenuWord.STOP),
        ("dung", MenuWord.STOP),
        ("STOP", MenuWord.STOP),
        ("dung lai", MenuWord.STOP),
        ("Đừng gửi nữa", MenuWord.STOP),
        ("nhan lai", MenuWord.RESUME),
        ("xoá dữ liệu", MenuWord.DELETE_DATA),
        ("xóa dữ liệu", MenuWord.DELETE_DATA),
        ("xoa du lieu", MenuWord.DELETE_DATA),
        ("gặp cán bộ", MenuWord.HUMAN),
        ("đúng", MenuWord.YES),
        ("đung", MenuWord.YES),
        ("Đúng rồi ạ", MenuWord.YES),
        ("dung roi", MenuWord.YES),
        ("có", MenuWord.YES),
        ("co", MenuWord.YES),
        ("dạ", MenuWord.YES),
        ("ok ạ", MenuWord.YES),
        ("không", MenuWord.NO),
        ("ko", MenuWord.NO),
        ("gửi", MenuWord.SEND),
        ("gữi đi", MenuWord.SEND),
        ("sửa", MenuWord.EDIT),
        ("bo qua", MenuWord.SKIP),
        ("xong", MenuWord.DONE),
    ],
)
def test_menu_words_are_understood_in_every_spelling(text: str, word: MenuWord) -> None:
    assert menu_word(text) is word
    assert menu_word(unicodedata.normalize("NFD", text)) is word


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "!!!", "dùng", "đừng", "đứng lại", "cỏ", "cô ạ", "1", "ồn", "đường hỏng", "phản ánh đường hỏng",
        "hủy hợp đồng thuê đất", "cho em", "có ổ gà trước cửa nhà tôi",
    ],
)  # fmt: skip
def test_other_texts_are_no_menu_words(text: str) -> None:
    assert menu_word(text) is None


@pytest.mark.parametrize(
    ("text", "word"),
    [("1", MenuWord.REPORT), ("2.", MenuWord.LOOKUP), ("số 3 ạ", MenuWord.ASK), ("5️⃣", MenuWord.CONTACT), ("6", None)],
)
def test_digits_mean_menu_lines_only_when_asked_for(text: str, word: MenuWord | None) -> None:
    assert menu_word(text, numbers=True) is word
    assert menu_word(text) is None


@given(ANY_TEXT)
def test_recognising_takes_every_string(text: str) -> None:
    menu_word(text, numbers=True)
    number_choice(text, 9)
    rating_word(text, numbers=True)
    case_code(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("PA-7K3M9", "PA-7K3M9"),
        ("pa 7k3m9", "PA-7K3M9"),
        ("PA7K3M9", "PA-7K3M9"),
        ("pa–7k3m9", "PA-7K3M9"),
        ("PA — 7K3M9", "PA-7K3M9"),
        ("Mã của tôi là pa-7k3m9, xem giúp.", "PA-7K3M9"),
        ("#PA7K3M9", "PA-7K3M9"),
        ("pa 7k3 m9", "PA-7K3M9"),
        ("PA-KTMWX", "PA-KTMWX"),
        ("paktmwx", "PA-KTMWX"),
        ("cho hỏi PAKTMWX đến đâu rồi", "PA-KTMWX"),
        ("hồ sơ pa-ktmwx đến đâu rồi", "PA-KTMWX"),
        ("PA 7K3M9 và PA-22222", "PA-7K3M9"),
        ("https://loa.example/PA-7K3M9", "PA-7K3M9"),
    ],
)
def test_case_codes_are_found(text: str, code: str) -> None:
    assert case_code(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "", "PA", "PA-7K3M", "PA-7K3M99", "SPA-7K3M9", "PA-7K3M9X", "PA-7K0M9", "PA-7KIM9", "pa thang truoc chua xong",
        "my parents said so", "đpa7k3m9",
    ],
)  # fmt: skip
def test_other_texts_hold_no_case_code(text: str) -> None:
    assert case_code(text) is None


@given(st.text("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", min_size=5, max_size=5), st.sampled_from(["-", " ", "", "–", " - "]))
def test_every_code_is_found_alone_however_it_is_typed(code: str, dash: str) -> None:
    assert case_code(f"pa{dash}{code}") == case_code(f"  PA{dash}{code.lower()}.") == f"PA-{code}"


@pytest.mark.parametrize(
    ("text", "choice"),
    [("2", 2), ("2.", 2), ("số 2 ạ", 2), ("hai", 2), ("chọn 3", 3), ("bốn", 4), ("３", 3), ("tôi chọn số 1 nhé", 1)],
)
def test_choices_are_understood(text: str, choice: int) -> None:
    assert number_choice(text, 4) == choice


@pytest.mark.parametrize("text", ["0", "5", "2 cột điện", "bà", "", "nhà số 2 ngõ 3", "999999999999"])
def test_other_texts_are_no_choice(text: str) -> None:
    assert number_choice(text, 4) is None


@pytest.mark.parametrize(
    ("text", "rating"),
    [
        ("Rất hài lòng", 3),
        ("#rathailong", 3),
        ("hài lòng", 2),
        ("hai long a", 2),
        ("Hài lòng, cảm ơn ạ", 2),
        ("Chưa hài lòng", 1),
        ("khong hai long", 1),
        ("k hài lòng", 1),
        ("ồn", None),
        ("3", None),
        ("hài lòng nhưng đường vẫn còn ổ gà", None),
    ],
)
def test_ratings_are_understood(text: str, rating: int | None) -> None:
    assert rating_word(text) == rating


def test_rating_digits_are_lines_of_the_choice() -> None:
    assert [rating_word(digit, numbers=True) for digit in "1234"] == [3, 2, 1, None]


@given(ANY_TEXT)
def test_steering_is_blind_to_case(text: str) -> None:
    lower = text.lower()
    if lower.upper().lower() == lower:  # some letters of other scripts do not come back
        assert menu_word(lower.upper()) is menu_word(lower)

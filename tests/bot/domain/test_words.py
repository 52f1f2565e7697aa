"""Tests of recognising what citizens type."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.text import fold
from bot.domain.vocabulary import MENU_PHRASES, RATING_PHRASES
from bot.domain.words import (
    MenuWord,
    case_code,
    find_area,
    guess_category,
    is_conduct_report,
    is_denunciation,
    is_secret,
    looks_like_complaint,
    looks_like_question,
    menu_word,
    number_choice,
    rating_word,
)

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


@pytest.mark.parametrize("word", MENU_PHRASES)
def test_every_listed_phrase_is_found_with_and_without_accents(word: MenuWord) -> None:
    for spelling in MENU_PHRASES[word]:
        assert menu_word(spelling) is word, spelling
        assert menu_word(spelling.upper()) is word, spelling
        bare = menu_word(fold(spelling))
        assert bare is word or (fold(spelling) == "dung" and bare is MenuWord.STOP), spelling


@given(ANY_TEXT)
def test_recognising_takes_every_string(text: str) -> None:
    menu_word(text, numbers=True)
    number_choice(text, 9)
    rating_word(text, numbers=True)
    case_code(text)
    looks_like_complaint(text)
    looks_like_question(text)
    is_denunciation(text)
    is_conduct_report(text)
    is_secret(text)
    find_area(text, [("a", ("thôn Kim Lâm",))])


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
    assert set(RATING_PHRASES) == {3, 2, 1}


COMPLAINTS = [
    "Đường trước nhà văn hóa thôn Kim Lâm có ổ gà rất to, nguy hiểm cho các cháu đi học",
    "duong lien thon Kim Lam hong nang mua la ngap khong di duoc",
    "Rác tồn đọng nhiều ngày ở đầu ngõ bốc mùi hôi thối",
    "Bao giờ mới sửa ổ gà ở thôn Kim Lâm, nguy hiểm quá?",
    "Nhà hàng xóm hát karaoke đến 12 giờ đêm không ai ngủ được",
    "đề nghị ubnd xã xem xét đèn đường xóm tôi không sáng 3 hôm nay",
]
QUESTIONS = [
    "Làm lại căn cước cần giấy tờ gì ạ",
    "thu tuc dang ky ket hon nhu the nao",
    "Cho hỏi lịch cắt điện tuần này thế nào",
    "Trả kết quả vào thứ 7 không",
    "cấp lại sổ đỏ bị mất",
    "Xã mình có tiêm phòng dại chưa?",
]


@pytest.mark.parametrize("text", COMPLAINTS)
def test_a_whole_complaint_is_recognised(text: str) -> None:
    assert looks_like_complaint(text)


@pytest.mark.parametrize("text", [*QUESTIONS, "ổ gà", "chào cán bộ xã, chúc mọi người ngày mới tốt lành"])
def test_questions_and_greetings_are_no_complaint(text: str) -> None:
    assert not looks_like_complaint(text)


@pytest.mark.parametrize("text", QUESTIONS)
def test_a_question_is_recognised(text: str) -> None:
    assert looks_like_question(text)


@pytest.mark.parametrize("text", ["Rác tồn đọng nhiều ngày ở đầu ngõ bốc mùi", "cảm ơn xã", "vâng ạ"])
def test_statements_are_no_question(text: str) -> None:
    assert not looks_like_question(text)


@pytest.mark.parametrize(
    ("text", "legal"),
    [
        ("Tôi muốn tố cáo ông A lấn chiếm đất công", True),
        ("Tố cáo", True),
        ("to cao", True),
        ("toi to cao can bo xa", True),
        ("Đơn khiếu nại quyết định thu hồi đất", True),
        ("khieu nai quyet dinh xu phat", True),
        ("Cây to cao sắp đổ vào nhà tôi", False),
        ("cay to cao sap do", False),
        ("Tôi khiếu nại tiền điện tháng này", False),
        ("Đây không phải là tố cáo, chỉ góp ý thôi", False),
        ("Đường hỏng", False),
    ],
)
def test_denunciations_are_kept_apart(text: str, legal: bool) -> None:
    assert is_denunciation(text) is legal


@pytest.mark.parametrize(
    ("text", "conduct"),
    [
        ("Cán bộ một cửa hách dịch, nói trống không với dân", True),
        ("can bo hach dich nhung nhieu", True),
        ("Anh địa chính vòi tiền mới làm hồ sơ", True),
        ("thái độ cán bộ tiếp dân rất kém", True),
        ("Thái độ của nhân viên một cửa không nhiệt tình", True),
        ("trưởng thôn quát mắng bà con", True),
        ("Cán bộ đòi phong bì", True),
        ("Thái độ cán bộ rất tốt, cảm ơn xã", False),
        ("Cán bộ không hách dịch chút nào", False),
        ("Đề nghị công an xã xử lý hàng xóm say rượu chửi bới gây ồn", False),
        ("toi khong du dieu kien voi tien luong nay", False),
        ("Đường hỏng, cán bộ xã xem giúp", False),
    ],
)
def test_reports_about_conduct_are_recognised(text: str, conduct: bool) -> None:
    assert is_conduct_report(text) is conduct


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Tôi có tài liệu bí mật nhà nước", True),
        ("bi mat nha nuoc", True),
        ("gửi công văn mật của huyện", True),
        ("tôi bị mất tài liệu", False),
        ("toi mat tai lieu, tai lieu mat hom qua", False),
        ("mật ong rừng", False),
    ],
)
def test_secrets_are_recognised(text: str, secret: bool) -> None:
    assert is_secret(text) is secret


KEYWORDS = {"ha-tang": ("ổ gà", "đường hỏng", "vỉa hè"), "moi-truong": ("rác", "mùi hôi", "cống"), "an-ninh": ("trộm",)}


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("Có Ổ GÀ to", ("ha-tang", 2)),
        ("o ga, duong hong", ("ha-tang", 4)),
        ("rác bên ổ gà", ("ha-tang", 2)),
        ("rác và mùi hôi bên ổ gà", ("moi-truong", 3)),
        ("công an xã", None),
        ("", None),
    ],
)
def test_categories_are_guessed_by_whole_words(text: str, guess: tuple[str, int] | None) -> None:
    assert guess_category(text, KEYWORDS) == guess


AREAS = [
    ("kim-lam", ("Thôn Kim Lâm",)),
    ("kim-lam-thuong", ("Thôn Kim Lâm Thượng", "Lâm Thượng")),
    ("dong", ("Thôn Đông",)),
    ("to-5", ("Tổ dân phố số 5",)),
    ("thon-1", ("Thôn 1",)),
    ("van-quan", ("thôn Văn Quán",)),
    ("van-quan-2", ("thôn Vân Quan",)),
]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("đường thôn Kim Lâm hỏng", ["kim-lam"]),
        ("duong kim lam hong", ["kim-lam"]),
        ("kim lãm", ["kim-lam"]),
        ("xóm Kim Lâm Thượng ngập", ["kim-lam-thuong"]),
        ("Kim Lâm và Kim Lâm Thượng", ["kim-lam", "kim-lam-thuong"]),
        ("rất đông người", []),
        ("thon dong", ["dong"]),
        ("TDP 5", ["to-5"]),
        ("tổ 5", ["to-5"]),
        ("tổ 50", []),
        ("thôn 10", []),
        ("Thôn 1.", ["thon-1"]),
        ("thôn Văn Quán", ["van-quan"]),
        ("thon van quan", ["van-quan", "van-quan-2"]),
        ("", []),
    ],
)
def test_areas_are_found_by_name(text: str, ids: list[str]) -> None:
    assert find_area(text, AREAS) == ids


@given(st.text(string.ascii_letters + " đăâêôơư", max_size=40))
def test_recognition_is_blind_to_case(text: str) -> None:
    assert menu_word(text.upper()) is menu_word(text.lower())
    assert is_conduct_report(text.upper()) is is_conduct_report(text.lower())

"""Tests of telling what a text is about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.concerns import (
    guess_category,
    is_conduct_report,
    is_denunciation,
    is_secret,
    looks_like_complaint,
    looks_like_question,
)

COMPLAINTS = [
    "Đường trước nhà văn hóa thôn Kim Lâm có ổ gà rất to, nguy hiểm cho các cháu đi học",
    "duong lien thon Kim Lam hong nang mua la ngap khong di duoc",
    "Rác tồn đọng nhiều ngày ở đầu ngõ bốc mùi hôi thối",
    "Bao giờ mới sửa ổ gà ở thôn Kim Lâm, nguy hiểm quá?",
    "Nhà hàng xóm hát karaoke đến 12 giờ đêm không ai ngủ được",
    "Nước sinh hoạt đục và có mùi từ hôm qua tới giờ chưa hết",
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


@given(st.text(st.characters(exclude_categories=()), max_size=80))
def test_every_string_is_judged(text: str) -> None:
    looks_like_complaint(text)
    looks_like_question(text)
    is_denunciation(text)
    is_conduct_report(text)
    is_secret(text)
    guess_category(text, KEYWORDS)

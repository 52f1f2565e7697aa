"""Tell what a text is about: an incident, a question, a denunciation, an official's conduct, a secret, a category."""

from collections.abc import Mapping, Sequence

from bot.domain.phrases import Typed, accented, affirmed, contains, phrase, phrase_list, positions, typed
from bot.domain.text import fold

_COMPLAINT_LENGTH = 25
_FEW_WORDS = 3
_INCIDENT_POINTS = 2
_COMPLAINT_POINTS = 2
# How far from an official's title a word is still about him, in words.
_NEAR = 12
_ADDRESS_WINDOW = 3
_POLITE_ENDS = frozenset(phrase_list("a · ah · nhe · nha · em · toi · ad · admin · bac · anh · chi"))
_QUESTION_ENDS = frozenset(phrase_list("khong · ko · chua · ha · nhi · vay"))

# Something is broken, dirty, dangerous or against the rules out there.
_INCIDENTS = phrase_list("""
    ổ gà · ổ voi · đường hỏng · đường hư · đường xấu · hỏng đường · sụt lún · lún · bị nứt · sạt lở · vỡ đường ·
    hư hỏng · bị hỏng · bị hư · xuống cấp · gập ghềnh · lầy lội · trơn trượt · đèn đường · đèn chiếu sáng ·
    không sáng · mất điện · cúp điện · cắt điện · điện yếu · dây điện · cột điện · mất nước · cúp nước ·
    nước đục · nước bẩn · nước yếu · vỡ ống · rò rỉ · ngập · ngập nước · ngập úng · tắc cống · cống tắc ·
    nắp cống · cống thoát nước · nước thải · đổ rác · bãi rác · rác thải · đống rác · thu gom rác · xe rác ·
    xả rác · vứt rác · rác · đốt rác · đốt rơm · ô nhiễm · mùi hôi · hôi thối · bốc mùi · khói bụi · bụi bặm ·
    bụi · tiếng ồn · gây ồn · ồn ào · karaoke · loa kẹo kéo · lấn chiếm · xây dựng trái phép · xây trái phép ·
    xây dựng không phép · xây không phép · san lấp · cây đổ · cây gãy · cây chết · chó thả rông · thả rông ·
    chó dại · trộm cắp · mất trộm · cờ bạc · đánh bạc · ma túy · đua xe · gây rối · đánh nhau · lừa đảo ·
    cháy nhà · đám cháy · bị cháy · nguy cơ cháy · tai nạn · ùn tắc · tắc đường · vỉa hè · biển báo · gãy đổ ·
    bị gãy · bị đổ · sắp đổ · sắp sập · bị sập · nhiều muỗi · dịch bệnh · thực phẩm bẩn · hỏng · có mùi ·
    bị đục · đục ngầu · nước sinh hoạt đục · tắc nghẽn · kẹt xe · đổ trộm
""")
# How people complain.
_GRIEVANCES = phrase_list("""
    phản ánh · kiến nghị · đề nghị · mong · bức xúc · nguy hiểm · mất an toàn · không an toàn · nhiều ngày ·
    mấy hôm · mấy ngày nay · nhiều lần · nhiều tháng · lâu nay · từ lâu · không ai · chưa ai · chưa thấy ·
    chưa được · không được giải quyết · ảnh hưởng · xử lý · khắc phục · sửa chữa · tự ý · trái phép ·
    không chịu nổi · khổ sở · cử người · xem xét · người dân · bà con · đêm nào cũng · ngày nào cũng ·
    thường xuyên · suốt ngày · suốt đêm · quá hạn · trễ hẹn · chậm giải quyết · chưa giải quyết · chưa xử lý
""")
_INTERROGATIVES = phrase_list("""
    thế nào · như nào · ở đâu · chỗ nào · nơi nào · bao giờ · khi nào · lúc nào · bao nhiêu · bao lâu · mấy giờ ·
    mấy ngày thì · cần gì · cần những gì · gồm những gì · những gì · giấy tờ gì · thủ tục gì · là gì · làm gì ·
    thì sao · làm sao · ra sao · tại sao · vì sao · được không · có phải · phải không · hay không · có cần ·
    cho hỏi · xin hỏi · muốn hỏi · cho em hỏi · cho tôi hỏi · tôi hỏi · hỏi về · gặp ai · được chưa · xong chưa ·
    có chưa · hay chưa
""")
# What people come to the one-stop counter for; it tells a question from an incident.
_PROCEDURE_TERMS = phrase_list("""
    thủ tục · giấy tờ · hồ sơ · lệ phí · đăng ký · khai sinh · khai tử · kết hôn · tạm trú · thường trú ·
    hộ khẩu · căn cước · cccd · sổ đỏ · sổ hồng · giấy chứng nhận · công chứng · chứng thực · sao y · giấy phép ·
    cấp đổi · cấp lại · xin cấp · tách thửa · sang tên · bảo hiểm · trợ cấp · lý lịch tư pháp ·
    xác nhận độc thân · tình trạng hôn nhân · hộ kinh doanh · định danh · vneid · nhập hộ · chuyển khẩu
""")

# The laws on complaints (02/2011/QH13) and on denunciations (25/2018/QH14) give these acts a procedure of their own.
_DENUNCIATIONS = phrase_list("""
    khiếu nại · khiếu tố · đơn tố cáo · thư tố cáo · tôi tố cáo · em tố cáo · xin tố cáo · muốn tố cáo ·
    gửi tố cáo · nội dung tố cáo · tố cáo ông · tố cáo bà · tố cáo cán bộ · tố cáo công an · tố cáo chủ tịch ·
    tố cáo hành vi · tố cáo việc · tố cáo về việc · tố cáo lãnh đạo · tố cáo người · tố cáo trưởng ·
    giải quyết tố cáo · tố cáo tham nhũng
""")
# "to cao" typed bare is more often something big and tall.
_ACCENTED_DENUNCIATIONS = phrase_list("tố cáo")
# Said to a company about its bill: an ordinary report.
_EVERYDAY_COMPLAINTS = phrase_list("""
    khiếu nại tiền điện · khiếu nại tiền nước · khiếu nại hóa đơn · khiếu nại cước · khiếu nại về hóa đơn ·
    khiếu nại về tiền điện · khiếu nại về tiền nước · khiếu nại điện lực
""")

_OFFICIALS = phrase_list("""
    cán bộ · công chức · viên chức · nhân viên · chủ tịch · phó chủ tịch · bí thư · trưởng thôn · phó thôn ·
    tổ trưởng · công an xã · công an phường · công an khu vực · địa chính · tư pháp · hộ tịch · một cửa ·
    lãnh đạo · ủy ban · ubnd · trưởng phòng · người tiếp dân · dân quân
""")
_MISCONDUCT = phrase_list("""
    hách dịch · nhũng nhiễu · vòi vĩnh · hạch sách · đòi hối lộ · nhận hối lộ · ăn hối lộ · đưa hối lộ ·
    tham nhũng · tham ô · lót tay · thái độ cán bộ · thái độ của cán bộ · hành dân · làm khó dân ·
    gây khó dễ cho dân · phiền hà cho dân · lạm quyền · lộng quyền · nhận phong bì · đòi phong bì ·
    cán bộ tiêu cực
""")
# Bare, these also read "với tiền" and "của quyền".
_ACCENTED_MISCONDUCT = phrase_list("vòi tiền · cửa quyền · hống hách")
# These are about conduct when an official stands in the same text.
_MISCONDUCT_OF_OFFICIALS = phrase_list("""
    vòi tiền · cửa quyền · hống hách · thái độ · đòi tiền · đòi thêm tiền · gợi ý tiền · phong bì · đòi bồi dưỡng ·
    quát mắng · quát tháo · quát nạt · chửi · xúc phạm · thô lỗ · thô tục · gây khó dễ · cố tình gây khó · làm khó ·
    phiền hà · ăn chặn · đùn đẩy · vô cảm · thờ ơ · coi thường dân · say rượu · uống rượu · lợi dụng chức vụ ·
    bao che · hối lộ · trù dập · ăn tiền · bôi trơn · thiếu trách nhiệm · vô trách nhiệm · không niềm nở ·
    thiếu lịch sự · không lịch sự · không tôn trọng · cáu gắt
""")
# Before an official's title these show that he is asked for help, not complained about; folded.
_ADDRESSING = frozenset(phrase_list("nghi · gui · nho · bao · mong · goi · cau · kinh"))
# Words that are about conduct only as long as nobody praises.
_NEUTRAL_CONDUCT = frozenset(phrase_list("thái độ · thái độ cán bộ · thái độ của cán bộ"))
_PRAISE = phrase_list("""
    nhiệt tình · niềm nở · tận tình · chu đáo · rất tốt · cảm ơn · cám ơn · lịch sự · vui vẻ · thân thiện ·
    hài lòng · khen · đúng mực · tuyệt vời
""")

_SECRETS = phrase_list("""
    bí mật nhà nước · tuyệt mật · bí mật quân sự · bí mật quốc phòng · bí mật quốc gia · bí mật công tác
""")
# Bare, "tai lieu mat" is a lost paper and "toi mat" is "I lost".
_ACCENTED_SECRETS = phrase_list("""
    tài liệu mật · văn bản mật · công văn mật · đóng dấu mật · dấu mật · độ mật · tối mật · hồ sơ mật ·
    thông tin mật
""")


_EMERGENCIES = phrase_list("""
    có cháy · cháy nhà · nhà cháy · đang cháy · cháy lớn · cháy to · đám cháy · nổ bình ga · đuối nước · cứu với ·
    cấp cứu · cứu người · đánh vợ · đánh con · đánh chết · chém nhau · đâm chém · cầm dao · bắt cóc · đột quỵ ·
    ngất xỉu · bất tỉnh · tai nạn chết người · có người chết · bị điện giật · rò rỉ ga · sập nhà · nhà sập
""")


def looks_like_complaint(text: str) -> bool:
    """Tell whether somebody simply wrote a complaint: an incident named in few words, or a longer grievance."""
    words = typed(text)
    if len(fold(text)) < _COMPLAINT_LENGTH:
        return len(words.folded) >= _FEW_WORDS and _hits(words, _INCIDENTS) > 0 and not _asks(text, words)
    points = _INCIDENT_POINTS * _hits(words, _INCIDENTS) + _hits(words, _GRIEVANCES)
    if _asks(text, words):  # "lịch cắt điện thế nào?" asks, "bao giờ mới sửa ổ gà nguy hiểm?" complains
        points -= 1 + _INCIDENT_POINTS * _hits(words, _PROCEDURE_TERMS)
    return points >= _COMPLAINT_POINTS


def is_emergency(text: str) -> bool:
    """Tell whether somebody needs 113, 114 or 115 now rather than an official within days."""
    words = typed(text)
    return any(affirmed(words, said) for said in _EMERGENCIES)


def looks_like_question(text: str) -> bool:
    """Tell whether the text asks something, or names a procedure without complaining."""
    words = typed(text)
    if _asks(text, words):
        return True
    return _hits(words, _PROCEDURE_TERMS) > 0 and not looks_like_complaint(text)


def is_denunciation(text: str) -> bool:
    """Tell whether the text is about a denunciation or a complaint in the sense of law, which have their own channel.

    Laws 25/2018/QH14 (tố cáo) and 02/2011/QH13 (khiếu nại).
    """
    words = typed(text)
    if "".join(words.folded) == "tocao" or any(
        accented(words, said) and affirmed(words, said) for said in _ACCENTED_DENUNCIATIONS
    ):
        return True
    said = [one for one in _DENUNCIATIONS if affirmed(words, one)]
    everyday = any(contains(words, one) for one in _EVERYDAY_COMPLAINTS)
    return bool(said) and not (everyday and said == ["khiếu nại"])


def is_conduct_report(text: str) -> bool:
    """Tell whether the text reports how an official behaved: such a report is restricted."""
    words = typed(text)
    praised = any(affirmed(words, one) for one in _PRAISE)
    about = [one for one in _MISCONDUCT if affirmed(words, one)]
    about += [one for one in _ACCENTED_MISCONDUCT if accented(words, one) and affirmed(words, one)]
    officials = [start for one in _OFFICIALS for start in positions(words, one) if not _addressed(words, start)]
    if officials:
        about += [one for one in _MISCONDUCT_OF_OFFICIALS if affirmed(words, one) and _near(words, one, officials)]
    return any(not (praised and one in _NEUTRAL_CONDUCT) for one in about)


def is_secret(text: str) -> bool:
    """Tell whether the text speaks of state secrets, which must not be sent through a chat (law 117/2025/QH15)."""
    words = typed(text)
    return any(affirmed(words, one) for one in _SECRETS) or any(
        accented(words, one) and affirmed(words, one) for one in _ACCENTED_SECRETS
    )


def guess_category(text: str, keywords: Mapping[str, Sequence[str]]) -> tuple[str, int] | None:
    """Return the category code whose keywords occur most, and its score: the words of all phrases found.

    Of equal scores the first in the mapping wins; None when no keyword occurs.
    """
    words = typed(text)
    best: tuple[str, int] | None = None
    for code, phrases in keywords.items():
        found = {phrase(one).folded for one in phrases if contains(words, one)}
        score = sum(map(len, found))
        if score > (best[1] if best else 0):
            best = (code, score)
    return best


def _hits(words: Typed, phrases: Sequence[str]) -> int:
    return sum(contains(words, one) for one in phrases)


def _asks(text: str, words: Typed) -> bool:
    if "?" in text or "？" in text:
        return True
    core = [word for word in words.folded if word not in _POLITE_ENDS]
    return bool(core and core[-1] in _QUESTION_ENDS) or _hits(words, _INTERROGATIVES) > 0


def _addressed(words: Typed, start: int) -> bool:
    return not _ADDRESSING.isdisjoint(words.folded[max(0, start - _ADDRESS_WINDOW) : start])


def _near(words: Typed, meant: str, places: Sequence[int]) -> bool:
    return any(abs(start - place) <= _NEAR for start in positions(words, meant) for place in places)

"""The Vietnamese word lists by which the service recognises what citizens type; written with accents, matched without."""

from enum import Enum


class MenuWord(Enum):
    """What a citizen can ask of the bot with a word or a tap."""

    REPORT = "report"
    LOOKUP = "lookup"
    ASK = "ask"
    ANNOUNCEMENTS = "announcements"
    CONTACT = "contact"
    MENU = "menu"
    HELP = "help"
    MY_CASES = "my_cases"
    MY_DOSSIERS = "my_dossiers"
    MY_TOPICS = "my_topics"
    CANCEL = "cancel"
    STOP = "stop"
    RESUME = "resume"
    DELETE_DATA = "delete_data"
    EXPORT_DATA = "export_data"
    HUMAN = "human"
    YES = "yes"
    NO = "no"
    SEND = "send"
    EDIT = "edit"
    SKIP = "skip"
    DONE = "done"


# The digits of the main menu, in the order in which it is shown.
MENU_NUMBERS = {
    1: MenuWord.REPORT,
    2: MenuWord.LOOKUP,
    3: MenuWord.ASK,
    4: MenuWord.ANNOUNCEMENTS,
    5: MenuWord.CONTACT,
}

# Where two phrases are alike without accents ("dung"), the one standing first is what the bare spelling means.
MENU_PHRASES: dict[MenuWord, tuple[str, ...]] = {
    MenuWord.REPORT: (
        "phản ánh",
        "gửi phản ánh",
        "gửi phản ánh mới",
        "phản ánh mới",
        "phản ánh kiến nghị",
        "kiến nghị",
        "phản ánh hiện trường",
        "báo cáo sự cố",
        "báo sự cố",
        "góp ý",
        "gửi góp ý",
        "gửi kiến nghị",
        "gửi thành phản ánh",
        "viết phản ánh",
        "tạo phản ánh",
        "/report",
    ),
    MenuWord.LOOKUP: (
        "tra cứu hồ sơ",
        "tra cứu",
        "tra hồ sơ",
        "tra cứu kết quả",
        "tra cứu kết quả hồ sơ",
        "xem hồ sơ",
        "kiểm tra hồ sơ",
        "tình trạng hồ sơ",
        "hồ sơ",
        "tracuu hoso",
        "/lookup",
    ),
    MenuWord.ASK: (
        "hỏi đáp thủ tục",
        "hỏi đáp",
        "thủ tục",
        "hỏi thủ tục",
        "hỏi thủ tục hành chính",
        "thủ tục hành chính",
        "hướng dẫn thủ tục",
        "hỏi",
        "đặt câu hỏi",
        "tthc",
        "hỏi đáp tthc",
        "/ask",
    ),
    MenuWord.ANNOUNCEMENTS: (
        "thông báo của thôn",
        "thông báo",
        "xem thông báo",
        "thông báo thôn",
        "tin thôn",
        "thông báo mới",
        "thông báo của xã",
        "tin tức",
        "loa",
        "loa thôn",
        "/news",
    ),
    MenuWord.CONTACT: (
        "liên hệ",
        "liên lạc",
        "số điện thoại",
        "đường dây nóng",
        "hotline",
        "thông tin liên hệ",
        "danh bạ",
        "địa chỉ liên hệ",
        "/contact",
    ),
    MenuWord.MENU: (
        "menu",
        "mở menu",
        "trang chủ",
        "về trang chủ",
        "danh mục",
        "bắt đầu",
        "bắt đầu lại",
        "trở về",
        "quay lại menu",
        "start",
        "/start",
        "/menu",
        "mục lục",
    ),
    MenuWord.HELP: (
        "trợ giúp",
        "hướng dẫn",
        "hướng dẫn sử dụng",
        "giúp",
        "giúp đỡ",
        "help",
        "/help",
        "cách dùng",
        "hỗ trợ",
    ),
    MenuWord.MY_CASES: (
        "phản ánh của tôi",
        "xem phản ánh",
        "xem phản ánh của tôi",
        "các phản ánh của tôi",
        "phản ánh đã gửi",
        "tra cứu phản ánh",
        "kiến nghị của tôi",
        "tình trạng phản ánh",
        "/cases",
    ),
    MenuWord.MY_DOSSIERS: ("hồ sơ của tôi", "xem hồ sơ của tôi", "các hồ sơ của tôi"),
    MenuWord.MY_TOPICS: (
        "thông báo của tôi",
        "chọn thông báo",
        "cài đặt thông báo",
        "chủ đề",
        "chọn chủ đề",
        "chủ đề của tôi",
    ),
    MenuWord.CANCEL: (
        "hủy",
        "hủy bỏ",
        "thoát",
        "thoát ra",
        "cancel",
        "exit",
        "quit",
        "thôi",
        "thôi không gửi",
        "không gửi",
        "không gửi nữa",
        "hủy phản ánh",
        "bỏ",
        "bỏ đi",
        "/cancel",
    ),
    MenuWord.STOP: (
        "dừng",
        "stop",
        "dừng thông báo",
        "dừng nhận",
        "dừng nhận thông báo",
        "dừng nhận tin",
        "dừng lại",
        "dừng gửi",
        "ngừng",
        "ngừng nhận",
        "ngừng nhận tin",
        "ngừng nhận thông báo",
        "ngừng thông báo",
        "hủy nhận tin",
        "hủy nhận thông báo",
        "hủy đăng ký",
        "từ chối nhận tin",
        "không nhận tin",
        "không nhận tin nữa",
        "không nhận thông báo",
        "không nhận thông báo nữa",
        "đừng gửi nữa",
        "đừng gửi",
        "đừng nhắn nữa",
        "tắt thông báo",
        "unsubscribe",
        "/stop",
    ),
    MenuWord.RESUME: (
        "nhận lại",
        "nhận lại thông báo",
        "nhận lại tin",
        "nhận thông báo",
        "nhận tin",
        "tiếp tục nhận",
        "tiếp tục nhận tin",
        "tiếp tục nhận thông báo",
        "bật thông báo",
        "đăng ký nhận tin",
        "đăng ký nhận thông báo",
        "resume",
        "/resume",
    ),
    MenuWord.DELETE_DATA: (
        "xóa dữ liệu",
        "xóa dữ liệu của tôi",
        "xóa dữ liệu cá nhân",
        "xóa toàn bộ dữ liệu",
        "xóa thông tin",
        "xóa thông tin của tôi",
        "xóa thông tin cá nhân",
        "yêu cầu xóa dữ liệu",
        "rút lại đồng ý",
        "/delete",
    ),
    MenuWord.EXPORT_DATA: (
        "dữ liệu của tôi",
        "xem dữ liệu của tôi",
        "xuất dữ liệu",
        "xuất dữ liệu của tôi",
        "tải dữ liệu của tôi",
    ),
    MenuWord.HUMAN: (
        "gặp cán bộ",
        "gặp người",
        "gặp nhân viên",
        "gặp tổng đài viên",
        "nói chuyện với cán bộ",
        "hỏi cán bộ",
        "chuyển cán bộ",
        "nhắn cán bộ",
        "gặp người thật",
    ),
    MenuWord.YES: (
        "có",
        "đồng ý",
        "đúng",
        "đúng rồi",
        "đúng vậy",
        "phải",
        "phải rồi",
        "vâng",
        "dạ",
        "dạ vâng",
        "vâng dạ",
        "ừ",
        "ừm",
        "uh",
        "uk",
        "um",
        "ờ",
        "ok",
        "oke",
        "okay",
        "okie",
        "oki",
        "okla",
        "yes",
        "y",
        "được",
        "được rồi",
        "chuẩn",
        "chính xác",
        "xác nhận",
        "tôi đồng ý",
        "nhất trí",
        "dc",
        "đc",
    ),
    MenuWord.NO: (
        "không",
        "ko",
        "k",
        "kh",
        "hong",
        "no",
        "n",
        "không phải",
        "không đồng ý",
        "không đúng",
        "sai",
        "sai rồi",
        "chưa",
        "chưa đúng",
        "không cần",
        "không có",
        "chẳng",
        "không ạ",
        "từ chối",
    ),
    MenuWord.SEND: (
        "gửi",
        "gửi đi",
        "gửi luôn",
        "gửi ngay",
        "xác nhận gửi",
        "đồng ý gửi",
        "send",
        "nộp",
        "có gửi",
    ),
    MenuWord.EDIT: ("sửa", "sửa lại", "chỉnh sửa", "sửa nội dung", "thay đổi", "viết lại", "nhập lại", "edit"),
    MenuWord.SKIP: (
        "bỏ qua",
        "skip",
        "không rõ",
        "không biết",
        "không có ảnh",
        "tiếp",
        "tiếp tục",
        "next",
        "bỏ qua bước này",
        "không nhớ",
    ),
    MenuWord.DONE: (
        "xong",
        "xong rồi",
        "đã xong",
        "hết",
        "hết rồi",
        "đủ",
        "đủ rồi",
        "hoàn tất",
        "hoàn thành",
        "done",
        "thế thôi",
        "vậy thôi",
        "chỉ có thế",
    ),
}

# Politeness around a menu word, folded: "dạ cho em phản ánh với ạ".
POLITE_BEFORE = frozenset(
    [
        "da",
        "vang",
        "alo",
        "cho",
        "toi",
        "em",
        "minh",
        "chau",
        "con",
        "bac",
        "chu",
        "co",
        "anh",
        "chi",
        "muon",
        "can",
        "xin",
        "vui",
        "long",
        "hay",
        "lam",
        "on",
        "bot",
        "ad",
        "admin",
        "oi",
    ]
)
POLITE_AFTER = frozenset(
    [
        "a",
        "ah",
        "nhe",
        "nha",
        "nhen",
        "nhi",
        "di",
        "voi",
        "giup",
        "gium",
        "cho",
        "toi",
        "em",
        "minh",
        "chau",
        "bac",
        "chu",
        "co",
        "anh",
        "chi",
        "ad",
        "admin",
        "bot",
        "oi",
        "nay",
        "luon",
        "cai",
    ]
)

NUMBER_WORDS = {
    word: value
    for value, words in enumerate(
        (
            ("một", "nhất"), ("hai", "nhì"), ("ba",), ("bốn", "tư"), ("năm",), ("sáu",), ("bảy", "bẩy"), ("tám",),
            ("chín",), ("mười",),
        ),
        start=1,
    )
    for word in words
}  # fmt: skip
NUMBER_LEADS = frozenset(["so", "chon", "phim", "muc", "thu", "cau", "y", "o", "lua"])

VERY_SATISFIED, SATISFIED, NOT_SATISFIED = 3, 2, 1
RATING_PHRASES: dict[int, tuple[str, ...]] = {
    VERY_SATISFIED: (
        "rất hài lòng", "hài lòng lắm", "rất tốt", "tuyệt vời", "rất ưng", "vô cùng hài lòng", "hoàn toàn hài lòng",
        "quá tốt",
    ),
    SATISFIED: ("hài lòng", "tạm hài lòng", "tốt", "bình thường", "tạm được", "được", "khá hài lòng", "ổn"),
    NOT_SATISFIED: (
        "chưa hài lòng", "không hài lòng", "ko hài lòng", "k hài lòng", "chẳng hài lòng", "rất không hài lòng",
        "chưa hài lòng lắm", "không hài lòng lắm", "thất vọng", "không tốt", "chưa tốt", "tệ", "quá tệ", "kém",
        "chưa được", "không được", "chưa xong",
    ),
}  # fmt: skip

# Something is broken, dirty, dangerous or against the rules out there. Two points each.
INCIDENTS = (
    "ổ gà", "ổ voi", "đường hỏng", "đường hư", "đường xấu", "hỏng đường", "sụt lún", "lún", "nứt", "sạt lở", "vỡ đường",
    "hư hỏng", "bị hỏng", "bị hư", "xuống cấp", "gập ghềnh", "lầy lội", "trơn trượt", "đèn đường", "đèn chiếu sáng",
    "không sáng", "mất điện", "cúp điện", "cắt điện", "điện yếu", "dây điện", "cột điện", "mất nước", "cúp nước",
    "nước đục", "nước bẩn", "nước yếu", "vỡ ống", "rò rỉ", "ngập", "ngập nước", "úng", "tắc cống", "cống tắc",
    "nắp cống", "cống thoát nước", "nước thải", "đổ rác", "bãi rác", "rác thải", "đống rác", "thu gom rác", "xe rác",
    "xả rác", "vứt rác", "rác", "đốt rác", "đốt rơm", "ô nhiễm", "mùi hôi", "hôi thối", "bốc mùi", "khói bụi", "bụi bặm",
    "bụi", "tiếng ồn", "gây ồn", "ồn ào", "karaoke", "loa kẹo kéo", "lấn chiếm", "xây dựng trái phép", "xây trái phép",
    "không phép", "san lấp", "cây đổ", "cây gãy", "cây chết", "chó thả rông", "chó dại", "trộm cắp", "mất trộm", "cờ bạc",
    "đánh bạc", "ma túy", "đua xe", "gây rối", "đánh nhau", "lừa đảo", "cháy", "nguy cơ cháy", "tai nạn", "ùn tắc",
    "tắc đường", "đỗ xe", "vỉa hè", "biển báo", "gãy đổ", "sập", "muỗi", "dịch bệnh", "thực phẩm bẩn", "đinh tặc",
)  # fmt: skip
# How people complain. One point each.
GRIEVANCES = (
    "phản ánh", "kiến nghị", "đề nghị", "mong", "bức xúc", "nguy hiểm", "mất an toàn", "không an toàn", "nhiều ngày",
    "mấy hôm", "mấy ngày", "nhiều lần", "nhiều tháng", "lâu nay", "không ai", "chưa ai", "chưa thấy", "chưa được",
    "không được giải quyết", "khổ", "quá", "bẩn", "ảnh hưởng", "xử lý", "khắc phục", "sửa chữa", "chậm", "tự ý", "trái phép",
    "không chịu nổi", "cử người", "xem xét", "người dân", "bà con", "dân chúng tôi", "đêm nào cũng", "ngày nào cũng",
    "thường xuyên", "từ lâu", "suốt ngày", "suốt đêm",
)  # fmt: skip
INTERROGATIVES = (
    "thế nào", "như nào", "ở đâu", "chỗ nào", "bao giờ", "khi nào", "lúc nào", "bao nhiêu", "bao lâu", "mấy giờ",
    "mấy ngày", "cần gì", "cần những gì", "gồm những gì", "những gì", "giấy tờ gì", "là gì", "làm gì", "thì sao", "làm sao", "ra sao",
    "tại sao", "vì sao", "được không", "có phải", "phải không", "hay không", "cho hỏi", "xin hỏi", "cho em hỏi",
    "cho tôi hỏi", "tôi hỏi", "hỏi", "gặp ai", "ai", "nơi nào", "có cần", "sao", "thủ tục gì", "được chưa", "xong chưa",
    "có chưa", "mấy", "nhỉ",
)  # fmt: skip
# What people come to the one-stop counter for; it tells a question from an incident.
PROCEDURE_TERMS = (
    "thủ tục", "giấy tờ", "hồ sơ", "lệ phí", "đăng ký", "khai sinh", "khai tử", "kết hôn", "tạm trú", "thường trú",
    "hộ khẩu", "căn cước", "sổ đỏ", "giấy chứng nhận", "công chứng", "chứng thực", "sao y", "giấy phép", "cấp đổi",
    "cấp lại", "xin cấp", "tách thửa", "sang tên", "bảo hiểm", "trợ cấp", "lý lịch tư pháp", "xác nhận độc thân",
    "tình trạng hôn nhân", "hộ kinh doanh", "định danh", "vneid", "nhập hộ", "chuyển khẩu",
)  # fmt: skip

# Law on denunciations (25/2018/QH14) and law on complaints (02/2011/QH13): acts with their own procedure.
DENUNCIATIONS = (
    "khiếu nại", "khiếu tố", "đơn tố cáo", "thư tố cáo", "tôi tố cáo", "em tố cáo", "xin tố cáo", "muốn tố cáo",
    "gửi tố cáo", "làm đơn tố cáo", "nội dung tố cáo", "tố cáo ông", "tố cáo bà", "tố cáo cán bộ", "tố cáo công an",
    "tố cáo chủ tịch", "tố cáo hành vi", "tố cáo việc", "tố cáo về việc", "tố cáo lãnh đạo", "tố cáo nhà",
    "tố cáo một", "tố cáo người", "tố cáo trưởng", "giải quyết tố cáo", "bị tố cáo", "người tố cáo", "tố cáo tham nhũng",
)  # fmt: skip
# "to cao" typed bare is more often a big tall tree, so these need an accent or to be the whole message.
ACCENTED_DENUNCIATIONS = ("tố cáo",)
# In these, people complain to a company; it is an ordinary report.
EVERYDAY_COMPLAINTS = (
    "khiếu nại tiền điện", "khiếu nại tiền nước", "khiếu nại hóa đơn", "khiếu nại cước", "khiếu nại dịch vụ",
    "khiếu nại với công ty", "khiếu nại điện lực",
)  # fmt: skip

OFFICIALS = (
    "cán bộ", "công chức", "viên chức", "nhân viên", "chủ tịch", "phó chủ tịch", "bí thư", "trưởng thôn", "phó thôn",
    "tổ trưởng", "công an xã", "công an phường", "công an khu vực", "địa chính", "tư pháp", "hộ tịch", "một cửa",
    "lãnh đạo", "ủy ban", "ubnd", "trưởng phòng", "người tiếp dân", "dân quân", "trạm y tế", "bảo vệ ủy ban",
)  # fmt: skip
MISCONDUCT = (
    "hách dịch", "nhũng nhiễu", "vòi vĩnh", "hạch sách", "đòi hối lộ", "nhận hối lộ", "ăn hối lộ", "đưa hối lộ",
    "tham nhũng", "tham ô", "lót tay", "thái độ cán bộ", "thái độ của cán bộ", "hành dân", "làm khó dân",
    "gây khó dễ cho dân", "phiền hà cho dân", "lạm quyền", "lộng quyền", "nhận phong bì", "đòi phong bì",
    "tiêu cực của cán bộ", "cán bộ tiêu cực",
)  # fmt: skip
# Unambiguous only with accents: bare, they also read "với tiền", "của quyền".
ACCENTED_MISCONDUCT = ("vòi tiền", "cửa quyền", "hống hách")
# These are about conduct when an official stands in the same text.
MISCONDUCT_OF_OFFICIALS = (
    *ACCENTED_MISCONDUCT, "thái độ", "đòi tiền", "đòi thêm tiền", "gợi ý tiền", "phong bì", "bồi dưỡng", "quát", "quát mắng",
    "quát tháo", "quát nạt", "mắng", "chửi", "xúc phạm", "thô lỗ", "thô tục", "hỗn", "gây khó dễ", "gây khó khăn",
    "làm khó", "phiền hà", "ăn chặn", "đùn đẩy", "vô cảm", "thờ ơ", "coi thường dân", "say rượu", "uống rượu",
    "bắt dân", "lợi dụng chức vụ", "bao che", "hối lộ", "trù dập", "ăn tiền", "bôi trơn", "thiếu trách nhiệm",
    "vô trách nhiệm", "không niềm nở", "thiếu lịch sự", "không tôn trọng", "cáu gắt",
)  # fmt: skip
# "Thái độ" in praise is no report about conduct.
PRAISE = (
    "nhiệt tình", "niềm nở", "tận tình", "chu đáo", "rất tốt", "cảm ơn", "cám ơn", "lịch sự", "vui vẻ", "thân thiện",
    "hài lòng", "khen", "đúng mực", "tuyệt vời",
)  # fmt: skip
NEUTRAL_CONDUCT = ("thái độ", "thái độ cán bộ", "thái độ của cán bộ", "bồi dưỡng")

SECRETS = (
    "bí mật nhà nước", "tuyệt mật", "bí mật quân sự", "bí mật quốc phòng", "bí mật quốc gia", "lộ bí mật công tác",
)  # fmt: skip
# Bare, "tai lieu mat" is a lost paper and "toi mat" is "I lost".
ACCENTED_SECRETS = (
    "tài liệu mật", "văn bản mật", "công văn mật", "đóng dấu mật", "dấu mật", "độ mật", "tối mật", "hồ sơ mật",
    "thông tin mật",
)  # fmt: skip

# Kinds of villages and what people write for them; a village is found by any word of its kind's group.
AREA_KINDS = (
    ("thôn", "xóm", "làng", "t"),
    ("tổ dân phố", "tổ", "tdp", "khu phố", "kp", "khu dân cư", "kdc"),
    ("ấp",), ("bản",), ("buôn",), ("khu",), ("cụm", "cụm dân cư"), ("đội",),
)  # fmt: skip

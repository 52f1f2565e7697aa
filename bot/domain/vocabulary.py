"""The words by which citizens steer the bot; written with accents here, recognised with and without."""

from enum import Enum

from bot.domain.phrases import phrase_list


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
    MY_AREAS = "my_areas"
    AGREE_ADVERTS = "agree_adverts"
    REFUSE_ADVERTS = "refuse_adverts"
    CANCEL = "cancel"
    STOP = "stop"
    RESUME = "resume"
    DELETE_DATA = "delete_data"
    EXPORT_DATA = "export_data"
    HUMAN = "human"
    LINK = "link"
    UNLINK = "unlink"
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
MENU_PHRASES = {
    MenuWord.REPORT: phrase_list("""
        phản ánh · gửi phản ánh · gửi phản ánh mới · phản ánh mới · phản ánh kiến nghị · kiến nghị ·
        phản ánh hiện trường · báo cáo sự cố · báo sự cố · góp ý · gửi góp ý · gửi kiến nghị ·
        gửi thành phản ánh · viết phản ánh · tạo phản ánh · /report · /phananh
    """),
    MenuWord.LOOKUP: phrase_list("""
        tra cứu hồ sơ · tra cứu · tra hồ sơ · tra cứu kết quả · tra cứu kết quả hồ sơ · xem hồ sơ ·
        kiểm tra hồ sơ · tình trạng hồ sơ · hồ sơ · tra cứu mã hồ sơ · tra mã hồ sơ · quét mã hồ sơ · /lookup
    """),
    MenuWord.ASK: phrase_list("""
        hỏi đáp thủ tục · hỏi đáp · thủ tục · hỏi thủ tục · hỏi thủ tục hành chính · thủ tục hành chính ·
        hướng dẫn thủ tục · hỏi · đặt câu hỏi · tthc · hỏi đáp tthc · /ask
    """),
    MenuWord.ANNOUNCEMENTS: phrase_list("""
        thông báo của thôn · thông báo · xem thông báo · thông báo thôn · tin thôn · thông báo mới ·
        thông báo của xã · tin tức · loa · loa thôn · /news
    """),
    MenuWord.CONTACT: phrase_list("""
        liên hệ · liên lạc · số điện thoại · đường dây nóng · hotline · thông tin liên hệ · danh bạ ·
        địa chỉ liên hệ · /contact
    """),
    MenuWord.MENU: phrase_list("""
        menu · mở menu · trang chủ · về trang chủ · danh mục · bắt đầu · bắt đầu lại · trở về · quay lại menu ·
        mục lục · start · /start · /menu
    """),
    MenuWord.HELP: phrase_list("""
        trợ giúp · hướng dẫn · hướng dẫn sử dụng · giúp · giúp đỡ · hỗ trợ · cách dùng · help · /help
    """),
    MenuWord.MY_CASES: phrase_list("""
        phản ánh của tôi · xem phản ánh · xem phản ánh của tôi · các phản ánh của tôi · phản ánh đã gửi ·
        tra cứu phản ánh · kiến nghị của tôi · tình trạng phản ánh · /cases
    """),
    MenuWord.MY_DOSSIERS: phrase_list("""
        hồ sơ của tôi · xem hồ sơ của tôi · các hồ sơ của tôi · tra cứu hồ sơ của tôi · hồ sơ đã nộp ·
        hồ sơ tôi đã nộp · danh sách hồ sơ · /dossiers
    """),
    MenuWord.MY_TOPICS: phrase_list("""
        thông báo của tôi · chọn thông báo · cài đặt thông báo · chủ đề · chọn chủ đề · chủ đề của tôi ·
        xem lại lựa chọn
    """),
    MenuWord.MY_AREAS: phrase_list("""
        chọn thôn · chọn tổ · chọn thôn tổ · chọn tổ dân phố · chọn thôn khác · đổi thôn · đổi tổ dân phố ·
        thôn của tôi · tổ dân phố của tôi · chọn nơi ở
    """),
    MenuWord.AGREE_ADVERTS: phrase_list("""
        đồng ý nhận tin quảng bá · nhận tin quảng bá · nhận quảng bá · đồng ý nhận tin quảng cáo ·
        nhận tin quảng cáo · đồng ý nhận quảng cáo · bật tin quảng bá · bật quảng cáo
    """),
    MenuWord.REFUSE_ADVERTS: phrase_list("""
        thôi nhận tin quảng bá · thôi nhận quảng bá · không nhận tin quảng bá · không nhận tin quảng bá nữa ·
        dừng nhận tin quảng bá · dừng tin quảng bá · tắt tin quảng bá · hủy nhận tin quảng bá ·
        không đồng ý nhận tin quảng bá · từ chối nhận tin quảng bá · thôi nhận tin quảng cáo ·
        không nhận tin quảng cáo · không nhận quảng cáo · dừng nhận tin quảng cáo · từ chối quảng cáo ·
        dừng quảng cáo · tắt quảng cáo · thôi nhận quảng cáo
    """),
    MenuWord.CANCEL: phrase_list("""
        hủy · hủy bỏ · thoát · thoát ra · thôi · thôi không gửi · không gửi · không gửi nữa · hủy phản ánh ·
        bỏ · bỏ đi · cancel · exit · quit · /cancel
    """),
    MenuWord.STOP: phrase_list("""
        dừng · dừng thông báo · dừng nhận · dừng nhận thông báo · dừng nhận tin · dừng lại · dừng gửi · ngừng ·
        ngừng nhận · ngừng nhận tin · ngừng nhận thông báo · ngừng thông báo · hủy nhận tin ·
        hủy nhận thông báo · hủy đăng ký · từ chối nhận tin · không nhận tin · không nhận tin nữa ·
        không nhận thông báo · không nhận thông báo nữa · đừng gửi nữa · đừng gửi · đừng nhắn nữa ·
        tắt thông báo · stop · unsubscribe · /stop
    """),
    MenuWord.RESUME: phrase_list("""
        nhận lại · nhận lại thông báo · nhận lại tin · nhận thông báo · nhận tin · tiếp tục nhận ·
        tiếp tục nhận tin · tiếp tục nhận thông báo · bật thông báo · đăng ký nhận tin ·
        đăng ký nhận thông báo · resume · /resume
    """),
    MenuWord.DELETE_DATA: phrase_list("""
        xóa dữ liệu · xóa dữ liệu của tôi · xóa dữ liệu cá nhân · xóa toàn bộ dữ liệu · xóa thông tin ·
        xóa thông tin của tôi · xóa thông tin cá nhân · yêu cầu xóa dữ liệu · rút lại đồng ý · /delete
    """),
    MenuWord.EXPORT_DATA: phrase_list("""
        dữ liệu của tôi · xem dữ liệu của tôi · xuất dữ liệu · xuất dữ liệu của tôi · tải dữ liệu của tôi
    """),
    MenuWord.HUMAN: phrase_list("""
        gặp cán bộ · gặp người · gặp người thật · gặp nhân viên · gặp tổng đài viên · nói chuyện với cán bộ ·
        hỏi cán bộ · chuyển cán bộ · nhắn cán bộ
    """),
    MenuWord.LINK: phrase_list("""
        nối kênh · nối hai kênh · nối các kênh · liên kết kênh · kết nối kênh · nối tài khoản · liên kết tài khoản ·
        chia sẻ số điện thoại · gửi số điện thoại · /link
    """),
    MenuWord.UNLINK: phrase_list("""
        bỏ nối · bỏ nối kênh · bỏ nối hai kênh · thôi nối · hủy nối · hủy nối kênh · ngắt nối · ngắt kết nối ·
        bỏ liên kết · hủy liên kết · /unlink
    """),
    MenuWord.YES: phrase_list("""
        có · đồng ý · tôi đồng ý · đúng · đúng rồi · đúng vậy · phải · phải rồi · vâng · dạ · dạ vâng · vâng dạ ·
        ừ · ừm · uh · uk · um · ờ · được · được rồi · đc · dc · chuẩn · chính xác · xác nhận · nhất trí ·
        ok · oke · okay · okie · oki · yes · y
    """),
    MenuWord.NO: phrase_list("""
        không · ko · k · kh · hông · no · n · không phải · không đồng ý · không đúng · sai · sai rồi · chưa ·
        chưa đúng · không cần · không có · chẳng · từ chối
    """),
    MenuWord.SEND: phrase_list("gửi · gửi đi · gửi luôn · gửi ngay · xác nhận gửi · đồng ý gửi · có gửi · nộp · send"),
    MenuWord.EDIT: phrase_list("""
        sửa · sửa lại · chỉnh sửa · sửa nội dung · thay đổi · viết lại · nhập lại · edit
    """),
    MenuWord.SKIP: phrase_list("""
        bỏ qua · bỏ qua bước này · không rõ · không biết · không nhớ · không có ảnh · tiếp · tiếp tục · skip · next
    """),
    MenuWord.DONE: phrase_list("""
        xong · xong rồi · đã xong · hết · hết rồi · đủ · đủ rồi · hoàn tất · hoàn thành · thế thôi · vậy thôi ·
        chỉ có thế · done
    """),
}

# Politeness around a menu word, folded: "dạ cho em phản ánh với ạ".
POLITE_BEFORE = frozenset(
    phrase_list("""
    da · vang · alo · cho · toi · em · minh · chau · con · bac · chu · co · anh · chi · muon · can · xin · vui ·
    long · hay · lam · on · bot · ad · admin · oi
""")
)
POLITE_AFTER = frozenset(
    phrase_list("""
    a · ah · nhe · nha · nhen · nhi · di · voi · giup · gium · cho · toi · em · minh · chau · bac · chu · co · anh ·
    chi · ad · admin · bot · oi · nay · luon · cai · cam · on
""")
)

NUMBER_WORDS = {
    1: ("một", "nhất"),
    2: ("hai", "nhì"),
    3: ("ba",),
    4: ("bốn", "tư"),
    5: ("năm",),
    6: ("sáu",),
    7: ("bảy", "bẩy"),
    8: ("tám",),
    9: ("chín",),
    10: ("mười",),
}
NUMBER_LEADS = frozenset(phrase_list("so · chon · phim · muc · thu · cau · y"))

VERY_SATISFIED, SATISFIED, NOT_SATISFIED = 3, 2, 1
RATING_PHRASES = {
    VERY_SATISFIED: phrase_list("""
        rất hài lòng · hài lòng lắm · vô cùng hài lòng · hoàn toàn hài lòng · rất tốt · quá tốt · rất ưng · tuyệt vời
    """),
    SATISFIED: phrase_list("""
        hài lòng · khá hài lòng · tạm hài lòng · tạm được · được · tốt · ổn · bình thường
    """),
    NOT_SATISFIED: phrase_list("""
        chưa hài lòng · không hài lòng · ko hài lòng · k hài lòng · chẳng hài lòng · rất không hài lòng ·
        chưa hài lòng lắm · không hài lòng lắm · thất vọng · không tốt · chưa tốt · tệ · quá tệ · kém ·
        chưa được · không được · chưa xong
    """),
}

# Before the name of a village or a topic while announcements are being chosen, folded: "tắt họp thôn", "bỏ Kim Lâm".
LEAVE_WORDS = phrase_list("""
    thoi khong nhan · khong nhan · khong theo doi · thoi nhan · thoi theo doi · dung nhan · bo theo doi · bo chon ·
    huy nhan · khong o · tat · bo · thoi · roi · huy · khong
""")
JOIN_WORDS = phrase_list("""
    nhan tin · theo doi · dang ky · toi chon · chon · nhan · bat · mo · them
""")

"""The words that show what a text is about: incident, question, denunciation, an official's conduct, secret."""

from bot.domain.phrases import phrase_list

# Something is broken, dirty, dangerous or against the rules out there.
INCIDENTS = phrase_list("""
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
    bị gãy · bị đổ · sắp đổ · sắp sập · bị sập · nhiều muỗi · dịch bệnh · thực phẩm bẩn
""")
# How people complain.
GRIEVANCES = phrase_list("""
    phản ánh · kiến nghị · đề nghị · mong · bức xúc · nguy hiểm · mất an toàn · không an toàn · nhiều ngày ·
    mấy hôm · mấy ngày nay · nhiều lần · nhiều tháng · lâu nay · từ lâu · không ai · chưa ai · chưa thấy ·
    chưa được · không được giải quyết · ảnh hưởng · xử lý · khắc phục · sửa chữa · tự ý · trái phép ·
    không chịu nổi · khổ sở · cử người · xem xét · người dân · bà con · đêm nào cũng · ngày nào cũng ·
    thường xuyên · suốt ngày · suốt đêm · quá hạn · trễ hẹn · chậm giải quyết · chưa giải quyết · chưa xử lý
""")
INTERROGATIVES = phrase_list("""
    thế nào · như nào · ở đâu · chỗ nào · nơi nào · bao giờ · khi nào · lúc nào · bao nhiêu · bao lâu · mấy giờ ·
    mấy ngày thì · cần gì · cần những gì · gồm những gì · những gì · giấy tờ gì · thủ tục gì · là gì · làm gì ·
    thì sao · làm sao · ra sao · tại sao · vì sao · được không · có phải · phải không · hay không · có cần ·
    cho hỏi · xin hỏi · muốn hỏi · cho em hỏi · cho tôi hỏi · tôi hỏi · hỏi về · gặp ai · được chưa · xong chưa ·
    có chưa · hay chưa
""")
# What people come to the one-stop counter for; it tells a question from an incident.
PROCEDURE_TERMS = phrase_list("""
    thủ tục · giấy tờ · hồ sơ · lệ phí · đăng ký · khai sinh · khai tử · kết hôn · tạm trú · thường trú ·
    hộ khẩu · căn cước · cccd · sổ đỏ · sổ hồng · giấy chứng nhận · công chứng · chứng thực · sao y · giấy phép ·
    cấp đổi · cấp lại · xin cấp · tách thửa · sang tên · bảo hiểm · trợ cấp · lý lịch tư pháp ·
    xác nhận độc thân · tình trạng hôn nhân · hộ kinh doanh · định danh · vneid · nhập hộ · chuyển khẩu
""")

# The laws on complaints (02/2011/QH13) and on denunciations (25/2018/QH14) give these acts a procedure of their own.
DENUNCIATIONS = phrase_list("""
    khiếu nại · khiếu tố · đơn tố cáo · thư tố cáo · tôi tố cáo · em tố cáo · xin tố cáo · muốn tố cáo ·
    gửi tố cáo · nội dung tố cáo · tố cáo ông · tố cáo bà · tố cáo cán bộ · tố cáo công an · tố cáo chủ tịch ·
    tố cáo hành vi · tố cáo việc · tố cáo về việc · tố cáo lãnh đạo · tố cáo người · tố cáo trưởng ·
    giải quyết tố cáo · tố cáo tham nhũng
""")
# "to cao" typed bare is more often something big and tall.
ACCENTED_DENUNCIATIONS = phrase_list("tố cáo")
# Said to a company about its bill: an ordinary report.
EVERYDAY_COMPLAINTS = phrase_list("""
    khiếu nại tiền điện · khiếu nại tiền nước · khiếu nại hóa đơn · khiếu nại cước · khiếu nại về hóa đơn ·
    khiếu nại về tiền điện · khiếu nại về tiền nước · khiếu nại điện lực
""")

OFFICIALS = phrase_list("""
    cán bộ · công chức · viên chức · nhân viên · chủ tịch · phó chủ tịch · bí thư · trưởng thôn · phó thôn ·
    tổ trưởng · công an xã · công an phường · công an khu vực · địa chính · tư pháp · hộ tịch · một cửa ·
    lãnh đạo · ủy ban · ubnd · trưởng phòng · người tiếp dân · dân quân
""")
MISCONDUCT = phrase_list("""
    hách dịch · nhũng nhiễu · vòi vĩnh · hạch sách · đòi hối lộ · nhận hối lộ · ăn hối lộ · đưa hối lộ ·
    tham nhũng · tham ô · lót tay · thái độ cán bộ · thái độ của cán bộ · hành dân · làm khó dân ·
    gây khó dễ cho dân · phiền hà cho dân · lạm quyền · lộng quyền · nhận phong bì · đòi phong bì ·
    cán bộ tiêu cực
""")
# Bare, these also read "với tiền" and "của quyền".
ACCENTED_MISCONDUCT = phrase_list("vòi tiền · cửa quyền · hống hách")
# These are about conduct when an official stands in the same text.
MISCONDUCT_OF_OFFICIALS = phrase_list("""
    vòi tiền · cửa quyền · hống hách · thái độ · đòi tiền · đòi thêm tiền · gợi ý tiền · phong bì · đòi bồi dưỡng ·
    quát mắng · quát tháo · quát nạt · chửi · xúc phạm · thô lỗ · thô tục · gây khó dễ · cố tình gây khó · làm khó ·
    phiền hà · ăn chặn · đùn đẩy · vô cảm · thờ ơ · coi thường dân · say rượu · uống rượu · lợi dụng chức vụ ·
    bao che · hối lộ · trù dập · ăn tiền · bôi trơn · thiếu trách nhiệm · vô trách nhiệm · không niềm nở ·
    thiếu lịch sự · không lịch sự · không tôn trọng · cáu gắt
""")
# Before an official's title these show that he is asked for help, not complained about; folded.
ADDRESSING = frozenset(phrase_list("nghi · gui · nho · bao · mong · goi · cau · kinh"))
# Words that are about conduct only as long as nobody praises.
NEUTRAL_CONDUCT = frozenset(phrase_list("thái độ · thái độ cán bộ · thái độ của cán bộ"))
PRAISE = phrase_list("""
    nhiệt tình · niềm nở · tận tình · chu đáo · rất tốt · cảm ơn · cám ơn · lịch sự · vui vẻ · thân thiện ·
    hài lòng · khen · đúng mực · tuyệt vời
""")

SECRETS = phrase_list("""
    bí mật nhà nước · tuyệt mật · bí mật quân sự · bí mật quốc phòng · bí mật quốc gia · bí mật công tác
""")
# Bare, "tai lieu mat" is a lost paper and "toi mat" is "I lost".
ACCENTED_SECRETS = phrase_list("""
    tài liệu mật · văn bản mật · công văn mật · đóng dấu mật · dấu mật · độ mật · tối mật · hồ sơ mật ·
    thông tin mật
""")

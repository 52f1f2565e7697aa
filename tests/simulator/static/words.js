// Vietnamese words for faults, webhook states and provider codes.

/** Each fault: title, what it does, and the one setting that matters besides the count. */
export const FAULTS = {
  slow: ["Trả lời chậm", "API và OAuth trả lời muộn hơn bấy nhiêu mili giây.", { ms: 3000 }],
  down: ["Mất đường truyền", "Ngắt kết nối không trả lời (close), hoặc trả lỗi cổng (502).", { mode: ["close", "502"] }],
  rate_limited: ["Quá giới hạn gọi", "API từ chối với mã -32."],
  token_expired: ["Hết hạn token", "API từ chối với mã -220 cho đến khi dịch vụ làm mới token."],
  error: ["Từ chối khi gửi", "Lời gọi gửi tin bị từ chối với mã này, không có gì đến máy.", { code: -200 }],
  error_any: ["Từ chối mọi lời gọi", "Mọi lời gọi API bị từ chối với mã này.", { code: -200 }],
  drop_after_accept: ["Nhận rồi ngắt", "Tin đã đến máy, nhưng kết nối bị ngắt trước khi trả lời."],
  error_after_accept: ["Nhận rồi báo lỗi", "Tin đã đến máy, nhưng câu trả lời lại là mã lỗi này.", { code: -200 }],
  duplicate_webhooks: ["Webhook lặp", "Mỗi webhook được gửi thêm bấy nhiêu bản giống hệt.", { copies: 1 }],
  out_of_order_webhooks: ["Webhook sai thứ tự", "Giữ một webhook lại cho đến khi webhook sau của OA đã đến."],
  lost_webhooks: ["Mất webhook", "Webhook không bao giờ được gửi đi."],
  wrong_signature: ["Chữ ký sai", "Webhook được ký bằng một khóa khác."],
  oauth_error: ["OAuth từ chối", "Trả HTTP 200 kèm mã lỗi này.", { code: -14014 }],
  oauth_hang: ["OAuth treo", "Chờ bấy nhiêu giây rồi mới xử lý yêu cầu.", { seconds: 30 }],
  oauth_slow_answer: ["Token mới đến chậm", "Token đã đổi, câu trả lời đến sau bấy nhiêu mili giây.", { ms: 3000 }],
  oauth_lose_answer: ["Mất token mới", "Token đã đổi, nhưng kết nối bị ngắt nên dịch vụ không nhận được."],
  media_404: ["Tệp không còn", "Ảnh và tệp trả lời 404."],
  media_hang: ["Tệp tải rất chậm", "Ảnh và tệp chỉ đến sau bấy nhiêu giây.", { seconds: 30 }],
  media_huge: ["Tệp quá lớn", "Mỗi ảnh là một luồng 50 MB."],
  media_not_image: ["Ảnh giả", "Tên và kiểu là ảnh, nội dung thì không."],
};

/** What the simulator refuses on a phone, in the words of the page. */
export const REFUSALS = {
  "this phone has blocked the OA": "bạn đã chặn OA này",
  "text is empty": "chưa có chữ nào",
};

export const STATES = {
  sending: "đang gửi",
  waiting: "chờ gửi lại",
  held: "giữ lại",
  delivered: "đã nhận",
  failed: "không nhận",
  given_up: "bỏ cuộc",
  dropped: "không gửi",
  lost: "mất",
};

/** Return how a webhook's state is coloured: good, wait or bad. */
export const tone = (state) => ({ delivered: "good", sending: "wait", waiting: "wait", held: "wait" })[state] || "bad";

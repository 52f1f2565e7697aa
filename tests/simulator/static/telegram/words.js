// Vietnamese words for the faults and states of the fake Telegram.

/** Each fault: title, what it does, and the one setting that matters besides the count. */
export const FAULTS = {
  slow: ["Trả lời chậm", "Mọi lời gọi được trả lời muộn hơn bấy nhiêu mili giây.", { ms: 3000 }],
  down: ["Mất đường truyền", "Ngắt kết nối không trả lời (close), hoặc trả lỗi cổng (502).", { mode: ["close", "502"] }],
  rate_limited: ["Gửi quá nhanh", "Lời gọi gửi bị từ chối với mã 429 và số giây phải chờ.", { retry_after: 3 }],
  blocked: ["Bị chặn", "Lời gọi gửi bị từ chối với mã 403: người dùng đã chặn bot."],
  revoked: ["Token bị thu hồi", "Mọi lời gọi bị từ chối với mã 401."],
  error: ["Từ chối khi gửi", "Lời gọi gửi bị từ chối với mã này, không có gì đến máy.", { code: 400 }],
  error_any: ["Từ chối mọi lời gọi", "Mọi lời gọi bị từ chối với mã này.", { code: 500 }],
  drop_after_accept: ["Nhận rồi ngắt", "Tin đã đến máy, nhưng kết nối bị ngắt trước khi trả lời."],
  duplicate_updates: ["Cập nhật lặp", "Mỗi cập nhật được gửi thêm bấy nhiêu bản giống hệt.", { copies: 1 }],
  out_of_order_updates: ["Cập nhật sai thứ tự", "Giữ một cập nhật lại cho đến khi cập nhật sau của bot đã đến."],
  wrong_secret: ["Mã bí mật sai", "Webhook mang một mã bí mật khác."],
  files_404: ["Tệp không còn", "Tải tệp trả lời 404."],
  files_hang: ["Tệp tải rất chậm", "Tệp chỉ đến sau bấy nhiêu giây.", { seconds: 30 }],
};

/** What a fault's setting counts. */
export const NUMBERS = { ms: "mili giây", code: "mã lỗi", seconds: "giây", copies: "bản", retry_after: "giây" };

/** What the simulator refuses on a phone, in the words of the page. */
export const REFUSALS = {
  "this phone has blocked the bot": "bạn đã chặn bot này",
  "text is empty": "chưa có chữ nào",
};

export const STATES = { sending: "đang gửi", waiting: "chờ lấy hoặc gửi lại", held: "giữ lại", delivered: "đã nhận", dropped: "bỏ" };

/** Return how an update's state is coloured: good, wait or bad. */
export const tone = (state) => ({ delivered: "good", sending: "wait", waiting: "wait", held: "wait" })[state] || "bad";

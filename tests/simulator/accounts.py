"""The accounts, templates and people the simulator starts with when nobody says otherwise. All invented."""

from typing import Any

from .errors import VerbError
from .model import BUSINESS, STATE, OfficialAccount, Template

APP_ID, APP_SECRET = "1111222233334444555", "demo-app-secret"
OA_TYPES = {"state": STATE, "business": BUSINESS}

TEMPLATES: list[dict[str, Any]] = [
    {
        "template_id": "312396",
        "name": "Kết quả hồ sơ",
        "text": "Kính gửi <ten>. Hồ sơ <ma_ho_so> đã có kết quả. Mời Ông/Bà đến <noi_nhan> để nhận.",
        "params": {"ten": 30, "ma_ho_so": 30, "noi_nhan": 200},
    },
    {
        "template_id": "312397",
        "name": "Trạng thái hồ sơ",
        "text": "Kính gửi <ten>. Hồ sơ <ma_ho_so>: <trang_thai>. Cập nhật ngày <ngay>.",
        "params": {"ten": 30, "ma_ho_so": 30, "trang_thai": 200, "ngay": 20},
    },
    {
        "template_id": "312398",
        "name": "Trả lời phản ánh",
        "text": "Phản ánh <ma> của Ông/Bà <ten> đã được trả lời: <noi_dung>",
        "params": {"ma": 30, "ten": 30, "noi_dung": 200},
    },
    {
        "template_id": "312399",
        "name": "Thông báo",
        "text": "<tieu_de>. <noi_dung>",
        "params": {"tieu_de": 100, "noi_dung": 200},
    },
]

ACCOUNTS: dict[str, dict[str, Any]] = {
    "state": {
        "oa_id": "2222333344445555666",
        "name": "UBND xã Thanh Oai",
        "oa_secret_key": "demo-oa-secret-state",
        "access_token": "demo-access-state",
        "refresh_token": "demo-refresh-state",
    },
    "business": {
        "oa_id": "2222333344445555777",
        "name": "Hợp tác xã dịch vụ Thanh Oai",
        "oa_secret_key": "demo-oa-secret-business",
        "access_token": "demo-access-business",
        "refresh_token": "demo-refresh-business",
    },
}

PEOPLE: list[dict[str, str]] = [
    {"user_id": f"333344445555666677{number}", "name": f"Công dân Thử Nghiệm {letter}", "phone": f"8490000000{number}"}
    for number, letter in ((1, "A"), (2, "B"), (3, "C"))
]


def make_account(**settings: Any) -> OfficialAccount:
    """Return an OA from settings; what is missing comes from the default account of its `type` (state or business).

    `type` may be the word or the provider's number (4, 2). Raises VerbError for what cannot be understood.
    """
    kind = settings.pop("type", "state")
    kind = {str(number): word for word, number in OA_TYPES.items()}.get(str(kind), str(kind))
    if kind not in OA_TYPES:
        raise VerbError("type must be state or business")
    templates = settings.pop("templates", TEMPLATES)
    values = {"app_id": APP_ID, "app_secret": APP_SECRET, "oa_type": OA_TYPES[kind]} | ACCOUNTS[kind] | settings
    try:
        account = OfficialAccount(**values)
        account.templates = {str(item["template_id"]): Template(**item) for item in templates}
    except (TypeError, KeyError) as wrong:
        raise VerbError(f"account: {wrong}") from None
    return account

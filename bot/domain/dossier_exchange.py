"""Read one status of a dossier as other systems send it, by the field names of the national exchange."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from bot.domain.dossier import Status
from bot.domain.dossier_code import canonical
from bot.domain.dossier_words import read_moment, read_phone, read_status
from bot.domain.text import clean, fold


class Problem(NamedTuple):
    """What is wrong with a field; `grave` says that the item is not taken in because of it."""

    field: str
    code: str
    grave: bool = True


class ExchangeField(NamedTuple):
    """One field: its name, how else it is called, what it becomes, as what it is read, and how long it may be.

    `to` is a fact of bot.domain.dossier.FACTS or an attribute of Item; `kind` names its reader below.
    """

    name: str
    to: str
    kind: str
    aliases: tuple[str, ...] = ()
    most: int = 200
    example: Any = ""


FIELDS: tuple[ExchangeField, ...] = (
    ExchangeField("MaHoSo", "code", "code", ("SoHoSo", "MaSoHoSo"), 60, "000.00.15.H26-261123-0007"),
    ExchangeField("TrangThaiHoSo", "status", "status", ("TrangThai", "MaTrangThai", "TrangThaiHoSoId"), 100, 2),
    ExchangeField(
        "ThoiGian", "at", "moment", ("NgayCapNhat", "ThoiGianCapNhat", "ThoiDiemXuLy", "NgayTrangThai"), 60,
        "2026-11-23T08:30:00+07:00",
    ),
    ExchangeField("MaTTHC", "procedure_code", "text", ("MaThuTuc",), 60, "1.000894.000.00.00.H26"),
    ExchangeField("TenTTHC", "procedure_name", "text", ("TenThuTuc",), 1000, "Đăng ký kết hôn"),
    ExchangeField("TenLinhVuc", "field", "text", ("LinhVuc",), 200, "Hộ tịch"),
    ExchangeField("ChuHoSo", "applicant", "text", ("TenChuHoSo", "HoTenChuHoSo", "HoTen"), 200, "Nguyễn Văn Mẫu"),
    ExchangeField("SoDienThoai", "phone", "phone", ("SoDienThoaiChuHoSo", "DienThoai"), 60, "0900000001"),
    ExchangeField("NgayTiepNhan", "received_at", "moment", (), 60, "23/11/2026 08:30"),
    ExchangeField("NgayHenTra", "due_at", "moment", ("NgayHenTraKetQua", "NgayHenTraMoi"), 60, "30/11/2026 17:00"),
    ExchangeField("NgayKetThucXuLy", "finished_at", "moment", ("NgayHoanThanh",), 60, "20261127153000"),
    ExchangeField("NgayTra", "returned_at", "moment", ("NgayTraKetQua",), 60, "30/11/2026"),
    ExchangeField("MaDonVi", "unit", "text", ("MaDonViXuLy", "MaDinhDanhDonVi"), 60, "10183"),
    ExchangeField("DonViXuLy", "unit_name", "text", ("TenDonVi",), 200, "UBND xã Thanh Oai"),
    ExchangeField("KenhThucHien", "online", "channel", ("HinhThuc", "HinhThucNop", "HinhThucTiepNhan"), 100, 2),
    ExchangeField(
        "LyDo", "reason", "text", ("GhiChu", "NoiDungXuLy", "NoiDungBoSung"), 2000, "Thiếu bản chính giấy khai sinh"
    ),
    ExchangeField(
        "DanhSachGiayTo", "papers", "papers", ("DanhSachGiayToBoSung", "GiayToBoSung"), 2000, ["Giấy khai sinh"]
    ),
    ExchangeField("HanBoSung", "limit_at", "moment", ("ThoiHanBoSung", "HanThucHien"), 60, "05/12/2026"),
    ExchangeField("LePhi", "fee", "money", ("SoTien", "TongLePhi", "PhiLePhi"), 40, 50000),
    ExchangeField("NoiDungLePhi", "fee_note", "text", ("TenPhiLePhi", "GhiChuLePhi"), 500, "Lệ phí đăng ký kết hôn"),
    ExchangeField("MaBuuGui", "post_code", "text", ("SoHieuBuuGui", "MaVanDon"), 60, "EK000000001VN"),
    ExchangeField(
        "NoiNhanKetQua", "appointment_place", "text", ("NoiTraKetQua", "ThongTinTra"), 500, "Bộ phận Một cửa"
    ),
)  # fmt: skip
"""What is read of an item; a name and its aliases mean the same, in upper or lower case, and the first that is told
counts. Whatever else stands in an item is passed over: the exchange has many fields that nobody is told of."""
REQUIRED = ("MaHoSo", "TrangThaiHoSo")
_NAMES: Mapping[str, tuple[int, int]] = {
    name.lower(): (number, rank)
    for number, each in enumerate(FIELDS)
    for rank, name in enumerate((each.name, *each.aliases))
}
MOMENT_OF: Mapping[Status, tuple[str, ...]] = {
    Status.REGISTERED: ("received_at",),
    Status.ACCEPTED: ("received_at",),
    Status.READY: ("finished_at",),
    Status.RETURNED: ("returned_at", "finished_at"),
}
"""Which date says when a status was taken where no moment is told; other statuses have none that does."""
AHEAD = timedelta(days=1)
"""So much may the clock of another system be ahead; what lies further on would stand over all that follows."""
MOST_FEE = 10**12
_MOST_PAPERS = 50
_CHANNELS: Mapping[str, bool] = {
    "1": False, "2": True, "3": False, "truc tiep": False, "truc tuyen": True, "online": True, "qua mang": True,
    "buu chinh": False, "buu chinh cong ich": False, "buu dien": False, "bcci": False, "nop truc tiep": False,
    "nop truc tuyen": True, "mot phan": True, "toan trinh": True, "truc tuyen mot phan": True,
    "truc tuyen toan trinh": True, "tai bo phan mot cua": False, "co": True, "khong": False,
}  # fmt: skip
_MONEY = re.compile(r"(\d{1,3}(?:[., ]\d{3})+|\d+)(?:[.,]0{1,2})?\s*(?:đ|đồng|vnđ|vnd)?", re.IGNORECASE | re.ASCII)


@dataclass(slots=True)
class Item:
    """What one item says; `code` canonical, `phone` as 84…, `unit` a code and `unit_name` a name as they were sent.

    `facts` are those of bot.domain.dossier.FACTS. `code`, `status` and `at` are only all there when `taken`.
    """

    code: str = ""
    status: Status | None = None
    at: datetime | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    applicant: str = ""
    phone: str = ""
    unit: str = ""
    unit_name: str = ""
    problems: list[Problem] = field(default_factory=list)

    @property
    def taken(self) -> bool:
        """Say whether nothing is wrong that keeps the item from being taken in."""
        return not any(problem.grave for problem in self.problems)


class _UnreadableError(Exception):
    def __init__(self, code: str, *, grave: bool = True) -> None:
        super().__init__(code)
        self.code, self.grave = code, grave


def read_item(given: object, now: datetime, code: str = "") -> Item:
    """Read one item; whatever is wrong is named in it, nothing is raised. `code` is the dossier's where it is known."""
    item = Item(code=code)
    if not isinstance(given, Mapping):
        item.problems.append(Problem("", "not_an_object"))
        return item
    values: dict[str, Any] = {}
    for each, name, value in _told(given):
        try:
            found = _READERS[each.kind](value, each.most)
        except _UnreadableError as error:
            item.problems.append(Problem(name, error.code, error.grave))
            continue
        if each.to == "code" and code and found != code:
            item.problems.append(Problem(name, "other_code"))
        values[each.to] = found
    _fill(item, values)
    _check(item, now)
    return item


def name_of(to: str) -> str:
    """Return the field's name for what it becomes."""
    return next(each.name for each in FIELDS if each.to == to)


def _told(given: Mapping[Any, Any]) -> list[tuple[ExchangeField, str, Any]]:
    """Return what is told of each field, under the name that comes first in its order."""
    best: dict[int, tuple[int, str, Any]] = {}
    for name, value in given.items():
        place = _NAMES.get(name.strip().lower()) if isinstance(name, str) else None
        empty = value is None or value == [] or (isinstance(value, str) and not clean(value))
        if place is None or empty:
            continue
        number, rank = place
        if number not in best or rank < best[number][0]:
            best[number] = (rank, FIELDS[number].name if rank == 0 else FIELDS[number].aliases[rank - 1], value)
    return [(FIELDS[number], name, value) for number, (_, name, value) in sorted(best.items())]


def _fill(item: Item, values: dict[str, Any]) -> None:
    item.code = item.code or values.get("code", "")
    item.status = values.get("status")
    for name in ("applicant", "phone", "unit", "unit_name"):
        setattr(item, name, values.get(name, ""))
    item.at = values.get("at")
    item.facts = {each.to: values[each.to] for each in FIELDS if each.to in values and not hasattr(item, each.to)}
    if item.status is not None and item.at is None:
        dates = (item.facts.get(name) for name in MOMENT_OF.get(item.status, ()))
        item.at = next((at for at in dates if at is not None), None)


def _check(item: Item, now: datetime) -> None:
    wrong = {_field_of(problem.field) for problem in item.problems}
    for to, value in (("code", item.code), ("status", item.status), ("at", item.at)):
        if value in (None, "") and to not in wrong:
            item.problems.append(Problem(name_of(to), "required"))
    if item.at is not None and item.at > now + AHEAD:
        item.problems.append(Problem(name_of("at"), "in_future"))


def _field_of(name: str) -> str:
    place = _NAMES.get(name.lower())
    return FIELDS[place[0]].to if place else ""


def _plain(value: object, most: int) -> str:
    """Return a text or a whole number as clean text on its own."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _UnreadableError("type")
    if isinstance(value, int):
        if abs(value) >= 10**18:
            raise _UnreadableError("too_long")
        value = str(value)
    found = clean(value)
    if len(found) > most:
        raise _UnreadableError("too_long")
    return found


def _line(value: object, most: int) -> str:
    return " ".join(_plain(value, most).split())


def _code(value: object, most: int) -> str:
    found = canonical(_plain(value, most))
    if not found:
        raise _UnreadableError("code")
    return found


def _status(value: object, most: int) -> Status:
    found = read_status(_plain(value, most))
    if found is None:
        raise _UnreadableError("status")
    return found


def _moment(value: object, most: int) -> datetime:
    found = read_moment(_plain(value, most))
    if found is None:
        raise _UnreadableError("moment")
    return found


def _phone(value: object, most: int) -> str:
    found = read_phone(_plain(value, most))
    if found is None:  # a landline, or nonsense: the dossier is worth having without it
        raise _UnreadableError("phone", grave=False)
    return found


def _channel(value: object, most: int) -> bool:
    if isinstance(value, bool):
        return value
    found = _CHANNELS.get(fold(_plain(value, most)))
    if found is None:
        raise _UnreadableError("channel", grave=False)
    return found


def _money(value: object, most: int) -> int:
    if isinstance(value, float) and value.is_integer() and abs(value) <= MOST_FEE:
        value = int(value)
    match = _MONEY.fullmatch(_plain(value, most))
    amount = int(re.sub(r"\D", "", match[1])) if match else -1
    if not 0 <= amount <= MOST_FEE:
        raise _UnreadableError("money")
    return amount


def _papers(value: object, most: int) -> str:
    """Return papers on one line; they come as a text, or as a list of texts or of objects that name them."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return _line(value, most)
    if len(value) > _MOST_PAPERS:
        raise _UnreadableError("too_many")
    names = [each.get("TenGiayTo") if isinstance(each, Mapping) else each for each in value]
    found = "; ".join(name for each in names if each is not None and (name := _line(each, most)))
    if len(found) > most:
        raise _UnreadableError("too_long")
    return found


_READERS: Mapping[str, Callable[[object, int], Any]] = {
    "code": _code, "status": _status, "moment": _moment, "text": _plain, "phone": _phone, "channel": _channel,
    "money": _money, "papers": _papers,
}  # fmt: skip

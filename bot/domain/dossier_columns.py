"""Tell what the columns of a one-stop system's export mean, by usual names and by those that the office has saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.text import clean, fold

HEADER_WITHIN = 15
"""The header stands among so many lines: above it are titles."""
_LONGEST_NAME = 100


class Column(StrEnum):
    """What a column of an export can mean; IGNORED is one that the office has said means nothing."""

    CODE = "code"
    STATUS = "status"
    UPDATED = "updated"
    RECEIVED = "received"
    DUE = "due"
    FINISHED = "finished"
    RETURNED = "returned"
    PROCEDURE_CODE = "procedure_code"
    PROCEDURE_NAME = "procedure_name"
    FIELD = "field"
    APPLICANT = "applicant"
    PHONE = "phone"
    UNIT_CODE = "unit_code"
    UNIT_NAME = "unit_name"
    ONLINE = "online"
    REASON = "reason"
    PAPERS = "papers"
    LIMIT = "limit"
    FEE = "fee"
    FEE_NOTE = "fee_note"
    POST_CODE = "post_code"
    PLACE = "place"
    IGNORED = ""


_C = Column
USUAL_HEADERS: Mapping[Column, tuple[str, ...]] = {
    _C.CODE: (
        "Mã hồ sơ", "Số hồ sơ", "Mã biên nhận", "Số biên nhận", "Mã số hồ sơ", "Mã HS", "Số HS", "MaHoSo",
        "Số ký hiệu hồ sơ", "Mã hồ sơ DVC", "Mã hồ sơ TTHC", "Mã tiếp nhận",
    ),
    _C.STATUS: (
        "Trạng thái", "Tình trạng", "Trạng thái hồ sơ", "Tình trạng hồ sơ", "Trạng thái xử lý", "Tình trạng xử lý",
        "TrangThaiHoSo", "Kết quả xử lý", "Tình trạng giải quyết", "Trạng thái giải quyết",
    ),
    _C.UPDATED: (
        "Ngày cập nhật", "Thời gian cập nhật", "Ngày cập nhật trạng thái", "Thời điểm cập nhật",
        "Cập nhật lần cuối", "Ngày chuyển trạng thái", "Ngày thay đổi trạng thái", "NgayCapNhat",
    ),
    _C.RECEIVED: (
        "Ngày tiếp nhận", "Ngày nhận", "Ngày nhận hồ sơ", "Ngày tiếp nhận hồ sơ", "Thời gian tiếp nhận",
        "Ngày nộp", "Ngày nộp hồ sơ", "NgayTiepNhan", "Thời điểm tiếp nhận",
    ),
    _C.DUE: (
        "Ngày hẹn trả", "Hạn trả", "Ngày hẹn trả kết quả", "Hạn trả kết quả", "Ngày hẹn", "Hạn xử lý",
        "Ngày đến hạn", "Hạn giải quyết", "NgayHenTra", "Thời hạn trả kết quả", "Thời gian hẹn trả",
    ),
    _C.FINISHED: (
        "Ngày có kết quả", "Ngày kết thúc xử lý", "Ngày hoàn thành", "Ngày xử lý xong", "Ngày kết thúc",
        "NgayKetThucXuLy", "Ngày giải quyết", "Ngày giải quyết xong",
    ),
    _C.RETURNED: (
        "Ngày trả kết quả", "Ngày trả", "Thời gian trả kết quả", "NgayTra", "Ngày trả KQ", "Ngày nhận kết quả",
    ),
    _C.PROCEDURE_CODE: (
        "Mã thủ tục", "Mã TTHC", "Mã số thủ tục", "Mã thủ tục hành chính", "MaTTHC",
    ),
    _C.PROCEDURE_NAME: (
        "Tên thủ tục", "Thủ tục hành chính", "Thủ tục", "Tên TTHC", "Tên thủ tục hành chính", "TenTTHC",
    ),
    _C.FIELD: (
        "Lĩnh vực", "Tên lĩnh vực", "TenLinhVuc", "Lĩnh vực thủ tục",
    ),
    _C.APPLICANT: (
        "Chủ hồ sơ", "Người nộp", "Tổ chức cá nhân", "Tên chủ hồ sơ", "Họ tên", "Họ và tên", "Họ tên chủ hồ sơ",
        "ChuHoSo", "Họ và tên người nộp", "Người nộp hồ sơ", "Tên tổ chức, cá nhân", "Tổ chức, cá nhân nộp hồ sơ",
        "Công dân",
    ),
    _C.PHONE: (
        "Số điện thoại", "Điện thoại", "SĐT", "Di động", "Số điện thoại chủ hồ sơ", "Số điện thoại người nộp",
        "Điện thoại liên hệ", "SoDienThoai", "Số di động",
    ),
    _C.UNIT_CODE: (
        "Mã đơn vị", "Mã cơ quan", "Mã đơn vị xử lý", "Mã đơn vị tiếp nhận", "MaDonVi", "DonViXuLy",
    ),
    _C.UNIT_NAME: (
        "Cơ quan", "Đơn vị xử lý", "Cơ quan xử lý", "Đơn vị", "Tên đơn vị", "Cơ quan thực hiện",
        "Đơn vị tiếp nhận", "Cơ quan tiếp nhận", "Đơn vị giải quyết", "Cơ quan giải quyết",
    ),
    _C.ONLINE: (
        "Hình thức nộp", "Hình thức tiếp nhận", "Hình thức nộp hồ sơ", "HinhThuc", "Hình thức", "Kênh tiếp nhận",
        "Nguồn", "Kênh thực hiện",
    ),
    _C.REASON: (
        "Lý do", "Ghi chú", "Lý do từ chối", "Lý do dừng", "Nội dung xử lý", "GhiChu", "Ý kiến xử lý",
    ),
    _C.PAPERS: (
        "Giấy tờ bổ sung", "Giấy tờ cần bổ sung", "Nội dung bổ sung", "Thành phần bổ sung", "Yêu cầu bổ sung",
    ),
    _C.LIMIT: (
        "Hạn bổ sung", "Ngày hạn bổ sung", "Thời hạn bổ sung", "Hạn nộp", "Hạn thực hiện", "Hạn nộp phí",
    ),
    _C.FEE: (
        "Lệ phí", "Phí", "Phí, lệ phí", "Tổng phí", "Số tiền", "Phí lệ phí phải nộp", "LePhi",
    ),
    _C.FEE_NOTE: (
        "Cách nộp phí", "Hình thức nộp phí", "Ghi chú phí", "Cách nộp",
    ),
    _C.POST_CODE: (
        "Mã bưu gửi", "Mã vận đơn", "Số hiệu bưu gửi", "Mã bưu phẩm",
    ),
    _C.PLACE: (
        "Nơi trả kết quả", "Nơi nhận kết quả", "Địa điểm trả kết quả", "Nơi trả",
    ),
}  # fmt: skip
"""How one-stop systems call their columns; where two of a file mean one thing, the earlier name here is taken."""


def _folded() -> dict[str, tuple[int, Column]]:
    return {fold(name): (place, column) for column, names in USUAL_HEADERS.items() for place, name in enumerate(names)}


_USUAL = _folded()
_SQUEEZED = {name.replace(" ", ""): found for name, found in _USUAL.items()}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where what stands: `names` are the file's headers in their order, `places` the column of each meaning."""

    names: tuple[str, ...]
    places: Mapping[Column, int]

    @property
    def missing(self) -> list[Column]:
        """What a file cannot do without and has not."""
        return [column for column in (Column.CODE, Column.STATUS) if column not in self.places]


def read_header(lines: Sequence[Sequence[str]], saved: Mapping[str, str]) -> tuple[int, Layout]:
    """Find the header among the first lines: return its index and the layout; -1 where none has two columns we know.

    `saved` maps folded headers to columns as the office has decided; it goes before the usual names.
    """
    best, found = -1, Layout((), {})
    for index, cells in enumerate(lines[:HEADER_WITHIN]):
        layout = _layout(cells, saved)
        if len(layout.places) > max(len(found.places), 1):
            best, found = index, layout
    return best, found


def widest(lines: Sequence[Sequence[str]]) -> list[str]:
    """Return the line that is most likely the header where none is recognised: the first with the most cells."""
    return [clean(cell)[:_LONGEST_NAME] for cell in max(lines[:HEADER_WITHIN], key=lambda cells: sum(map(bool, cells)))]


def _layout(cells: Sequence[str], saved: Mapping[str, str]) -> Layout:
    names = tuple(clean(cell)[:_LONGEST_NAME] for cell in cells)
    ranked: dict[Column, tuple[int, int]] = {}
    for index, name in enumerate(names):
        rank, column = meaning(name, saved)
        if column is not Column.IGNORED and (column not in ranked or (rank, index) < ranked[column]):
            ranked[column] = (rank, index)
    return Layout(names, {column: index for column, (_, index) in ranked.items()})


def meaning(header: str, saved: Mapping[str, str]) -> tuple[int, Column]:
    """Return what a header means, with a rank among the names for the same; IGNORED for one that nobody knows."""
    folded = fold(header)
    if folded in saved:
        try:
            return -1, Column(saved[folded])
        except ValueError:
            return 0, Column.IGNORED
    return _USUAL.get(folded) or _SQUEEZED.get(folded.replace(" ", "")) or (0, Column.IGNORED)

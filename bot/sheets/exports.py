"""Read an export of another system line by line: xlsx, ods, xls, csv; and say where a file ends too early."""

import codecs
import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import IO, Any

from bot.errors import InvalidInputError
from bot.sheets import opendocument, workbook
from bot.sheets.lines import LONGEST_CELL, OLE, Gatherer, Limits, Line

LIMITS = Limits(lines=500_000, columns=100, unpacked=1024 * 1024 * 1024)
"""What is read of an export at most."""
_SIGNS = ",;\t|"
_AT_ONCE = 1000
_HEAD_LINES = 20
_CHUNK = 1024 * 1024
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OLD_BOOKS = ("Workbook".encode("utf-16-le"), "Book".encode("utf-16-le"))
_END = b"PK\x05\x06"
_LOCAL = b"PK\x03\x04"
_SHEET = re.compile(rb"^(?:xl/worksheets/sheet\d+\.xml|content\.xml)$")
_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="(\d+)"')
_ANY_ROW = re.compile(rb"<(?:\w+:)?(?:table-)?row\b")
_LOCAL_HEADER = 30


def read_export(given: bytes | IO[bytes], limits: Limits = LIMITS) -> Iterator[Line]:
    """Give the lines of an export that are not empty, known by its content whatever its name says.

    A file is read from its beginning, a workbook without ever being in memory as a whole.

    Raises InvalidInputError with field "file": as `lines.read_lines` does, and cut_off (row) for one that ends early.
    """
    file = io.BytesIO(given) if isinstance(given, bytes) else given
    first = file.read(len(OLE))
    file.seek(0)
    if first == OLE:
        yield from _old(file.read(), limits)
        return
    if not first.startswith(b"PK"):
        yield from _separated(file.read(), limits)
        return
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            if "content.xml" in names or "encrypted-package" in names:
                yield from opendocument.read(archive, limits)
            elif "[Content_Types].xml" in names:
                yield from workbook.read(archive, limits)
            else:
                raise InvalidInputError("file", "not_a_table")
    except zipfile.BadZipFile as error:
        file.seek(0)
        raise _broken(file.read()) from error


def _broken(data: bytes) -> InvalidInputError:
    """Say of a package without its end that it was cut off, and the last row that is whole."""
    if _END in data[-65_557:]:
        return InvalidInputError("file", "broken")
    return InvalidInputError("file", "cut_off", row=_last_row(data))


def _last_row(data: bytes) -> int:
    """Return the number of the last row that stands in what there is of a package; 0 where none can be seen."""
    last, place = 0, data.find(_LOCAL)
    while 0 <= place < len(data) - _LOCAL_HEADER:
        method = int.from_bytes(data[place + 8 : place + 10], "little")
        name_end = place + _LOCAL_HEADER + int.from_bytes(data[place + 26 : place + 28], "little")
        name = data[place + _LOCAL_HEADER : name_end]
        begin = name_end + int.from_bytes(data[place + 28 : place + 30], "little")
        if _SHEET.match(name):
            last = max(last, _rows_of(data, begin, packed=method == zipfile.ZIP_DEFLATED))
        place = data.find(_LOCAL, begin)
    return last


def _rows_of(data: bytes, begin: int, *, packed: bool) -> int:
    unpack, tail, counted, named = zlib.decompressobj(-zlib.MAX_WBITS), b"", 0, 0
    for start in range(begin, len(data), _CHUNK):
        piece = data[start : start + _CHUNK]
        try:
            text = tail + (unpack.decompress(piece, 64 * _CHUNK) if packed else piece)
        except zlib.error:
            break
        counted += sum(1 for _ in _ANY_ROW.finditer(text))
        numbers = _ROW.findall(text)
        named = int(numbers[-1]) if numbers else named
        tail = text[text.rfind(b"<") :] if b"<" in text else b""
        counted -= sum(1 for _ in _ANY_ROW.finditer(tail))
        if unpack.eof:
            break
    # The row that stands last is the one in which the file ends.
    return max(named or counted, 1) - 1


def _old(data: bytes, limits: Limits) -> Iterator[Line]:
    """Give the lines of the first visible sheet of an xls workbook."""
    if _ENCRYPTED in data:
        raise InvalidInputError("file", "password")
    if not any(name in data for name in _OLD_BOOKS):
        raise InvalidInputError("file", "not_a_table")
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        shown = [s.name for s in book.sheets_metadata if s.visible == python_calamine.SheetVisibleEnum.Visible]
        sheet = book.get_sheet_by_name((shown or book.sheet_names)[0])
        first = (sheet.start or (0, 0))[0]
        rows = sheet.iter_rows()
    except python_calamine.PasswordError as error:
        raise InvalidInputError("file", "password") from error
    except (python_calamine.CalamineError, IndexError) as error:
        raise InvalidInputError("file", "broken") from error
    gatherer = Gatherer(limits)
    for number, cells in enumerate(rows, start=first + 1):
        gatherer.add(number, {place: _shown(cell) for place, cell in enumerate(cells) if cell != ""}, {})
        yield from gatherer.taken()


def _shown(value: Any) -> str:
    """Return a cell's value as it is seen in Viet Nam."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second) == (0, 0, 0)
        return value.strftime("%d/%m/%Y" if midnight else "%d/%m/%Y %H:%M:%S")
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    if isinstance(value, (time, timedelta)):
        return str(value)
    return str(value)[:LONGEST_CELL]


def _separated(data: bytes, limits: Limits) -> Iterator[Line]:
    """Give the lines of a csv file; a last line that has fewer cells than the others and no end was cut off."""
    encoding = _encoding(data)
    head = data[: 64 * 1024].decode(encoding, errors="replace").splitlines()[:_HEAD_LINES]
    skipped, sign = 0, _sign(head)
    text = io.TextIOWrapper(io.BytesIO(data), encoding=encoding, newline="")
    if head and head[0].strip().lower().startswith("sep=") and len(head[0].strip()) == len("sep=x"):
        skipped, sign = 1, head[0].strip()[-1]
        text.readline()
    csv.field_size_limit(LONGEST_CELL * 4)
    gatherer, reader, width, last = Gatherer(limits), csv.reader(text, delimiter=sign, strict=True), 0, 0
    whole = data.rstrip(b" \t\x00").endswith((b"\n", b"\r"))
    try:
        for row in reader:
            last = reader.line_num + skipped
            if gatherer.count < _HEAD_LINES:
                width = max(width, len(row))
            texts = {place: cell[:LONGEST_CELL] for place, cell in enumerate(row) if cell}
            gatherer.add(last, texts, {})
            if len(gatherer.lines) >= _AT_ONCE:
                # One line is kept back: whether the last one is whole is only known at the end.
                *lines, kept = gatherer.taken()
                gatherer.lines = [kept]
                yield from lines
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise InvalidInputError("file", "cut_off", row=last) from error
        raise InvalidInputError("file", "broken", row=reader.line_num + skipped) from error
    if not whole and gatherer.count > 1 and len(row) < width:
        raise InvalidInputError("file", "cut_off", row=last - 1)
    yield from gatherer.taken()


def _sign(head: list[str]) -> str:
    """Return what stands between the cells: titles above the header may hold commas, so the fullest line decides."""
    return max(_SIGNS, key=lambda sign: max((line.count(sign) for line in head), default=0))


def _encoding(data: bytes) -> str:
    """Return in what a text is written: by its mark, UTF-8 where all of it is, else Windows-1258.

    Raises InvalidInputError not_a_table, and cut_off for UTF-8 that ends within a letter.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            _refuse_unless(data, encoding)
            return encoding
    if b"\x00" in data or not data.strip():
        raise InvalidInputError("file", "not_a_table")
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _CHUNK):
            decoder.decode(data[start : start + _CHUNK])
    except UnicodeDecodeError:
        _refuse_unless(data, "cp1258")
        return "cp1258"
    if decoder.getstate()[0]:
        raise InvalidInputError("file", "cut_off", row=data.count(b"\n"))
    return "utf-8"


def _refuse_unless(data: bytes, encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(data), _CHUNK):
            decoder.decode(data[start : start + _CHUNK])
        decoder.decode(b"", True)
    except UnicodeDecodeError as error:
        if error.reason.startswith(("unexpected end", "truncated")):
            raise InvalidInputError("file", "cut_off", row=data.count(b"\n")) from error
        raise InvalidInputError("file", "not_a_table") from error

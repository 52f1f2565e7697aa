"""Write a workbook piece by piece: its bytes leave while rows are still being read, however many there are."""

import re
import zipfile
from collections.abc import Iterable, Sequence
from typing import IO
from xml.sax.saxutils import escape, quoteattr

from bot.sheets.lines import LONGEST_CELL

ROWS = 500_000
"""Rows of one sheet; a sheet may have 1 048 576."""
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PLAIN = 'fontId="0" fillId="0" borderId="0"'
_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    f'</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf numFmtId="0" {_PLAIN}/></cellStyleXfs>'
    f'<cellXfs count="2"><xf numFmtId="0" {_PLAIN} xfId="0"/><xf numFmtId="49" {_PLAIN} xfId="0" quotePrefix="1"'
    ' applyNumberFormat="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/>'
    "</cellStyles></styleSheet>"
)
"""The second style is text: a cell stays what it is even when somebody edits it."""


class _Sink:
    """Take what the archive writes, which cannot go back; `take` hands it on."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep a piece."""
        self._pieces.append(bytes(data))
        return len(data)

    def tell(self) -> int:
        """Refuse: what has been written is on its way."""
        raise OSError

    def seek(self, _offset: int, _whence: int = 0, /) -> int:
        """Refuse: what has been written is on its way."""
        raise OSError

    def close(self) -> None:
        """Do nothing: there is no file."""

    def flush(self) -> None:
        """Do nothing: `take` empties it."""

    def take(self) -> bytes:
        """Return everything since the last time."""
        taken, self._pieces = b"".join(self._pieces), []
        return taken


class Streaming:
    """One workbook on its way out: add rows, send the bytes that each call returns, close it.

    Every cell is text, whatever it begins with: nothing becomes a formula. Each sheet begins with the header.
    """

    def __init__(self, title: str, header: Sequence[str], rows: int = ROWS) -> None:
        self._title, self._header, self._most = title[:25], header, rows
        self._sink = _Sink()
        self._archive = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self._sheet: IO[bytes] | None = None
        self._sheets = 0
        self._in_sheet = 0
        self._open()

    def add(self, rows: Iterable[Sequence[str]]) -> bytes:
        """Add rows and return the bytes that are ready."""
        waiting: list[str] = []
        for row in rows:
            if self._in_sheet >= self._most:
                self._write("".join(waiting))
                waiting = []
                self._close()
                self._open()
            waiting.append(_row(row))
            self._in_sheet += 1
        self._write("".join(waiting))
        return self._sink.take()

    def close(self) -> bytes:
        """End the workbook and return its last bytes."""
        self._close()
        numbers = range(1, self._sheets + 1)
        sheets = "".join(f'<sheet name={quoteattr(self._name(n))} sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
        parts = "".join(_part(f"worksheets/sheet{n}.xml", "worksheet") for n in numbers)
        links = "".join(_link(n, "worksheet", f"worksheets/sheet{n}.xml") for n in numbers)
        styles = _link(self._sheets + 1, "styles", "styles.xml")
        for name, text in (
            ("xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'),
            ("xl/_rels/workbook.xml.rels", _links(links + styles)),
            ("_rels/.rels", _links(_link(1, "officeDocument", "xl/workbook.xml"))),
            ("[Content_Types].xml", _types(parts)),
        ):
            self._archive.writestr(name, _HEAD + text)
        self._archive.writestr("xl/styles.xml", _STYLES)
        self._archive.close()
        return self._sink.take()

    def abandon(self) -> None:
        """Let go of a workbook that nobody takes to its end; nothing happens to one that is closed."""
        if self._sheet is not None:
            self._sheet.close()
        self._archive.close()
        self._sink.take()

    def _name(self, number: int) -> str:
        return self._title if self._sheets == 1 else f"{self._title} {number}"

    def _open(self) -> None:
        self._sheets += 1
        self._in_sheet = 0
        self._sheet = self._archive.open(f"xl/worksheets/sheet{self._sheets}.xml", "w")
        columns = f'<cols><col min="1" max="{len(self._header)}" width="20" customWidth="1"/></cols>'
        self._write(f'{_HEAD}<worksheet xmlns="{_MAIN}">{columns}<sheetData>{_row(self._header)}')

    def _close(self) -> None:
        self._write("</sheetData></worksheet>")
        if self._sheet is not None:
            self._sheet.close()

    def _write(self, text: str) -> None:
        assert self._sheet is not None
        self._sheet.write(text.encode())


def _row(cells: Sequence[str]) -> str:
    return f"<row>{''.join(map(_cell, cells))}</row>"


def _cell(text: str) -> str:
    if not text:
        return '<c s="1"/>'
    plain = escape(_NOT_XML.sub("", text)[:LONGEST_CELL])
    return f'<c s="1" t="inlineStr"><is><t xml:space="preserve">{plain}</t></is></c>'


def _part(name: str, kind: str) -> str:
    return f'<Override PartName="/xl/{name}" ContentType="{_TYPE}.{kind}+xml"/>'


def _types(parts: str) -> str:
    rels = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    fixed = _part("workbook.xml", "sheet.main") + _part("styles.xml", "styles")
    return f'<Types xmlns="{_PACKAGE}/content-types">{rels}{fixed}{parts}</Types>'


def _link(number: int, kind: str, target: str) -> str:
    return f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'


def _links(links: str) -> str:
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>'

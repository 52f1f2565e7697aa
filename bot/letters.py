"""Write a letter of an office as a docx document, in the form that decree 30/2020 on clerical work gives it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_FONT = "Times New Roman"
NATION = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
MOTTO = "Độc lập - Tự do - Hạnh phúc"
NUMBER = "Số: ……/……"
TO = "Kính gửi"
RECIPIENTS = "Nơi nhận:"
_MARGINS = {"top": 20, "bottom": 20, "left": 30, "right": 15}
"""Millimetres; A4 is 210 by 297."""
_ROOM_TO_SIGN = 4


@dataclass(frozen=True, slots=True)
class Letter:
    """What a letter says: `above` is the office over `office`, "" for none; `date` with its place; texts are filled."""

    above: str
    office: str
    date: str
    subject: str
    to: str
    body: Sequence[str]
    recipients: Sequence[str]
    signer: Sequence[str]


def docx_of(letter: Letter) -> bytes:
    """Return the bytes of a letter; the signature is left blank."""
    from docx import Document
    from docx.shared import Mm, Pt

    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    for side, size in _MARGINS.items():
        setattr(section, f"{side}_margin", Mm(size))
    style = document.styles["Normal"]
    _use_font(style, Pt(14))
    style.paragraph_format.space_after = Pt(0)
    document.core_properties.author = letter.office
    document.core_properties.title = letter.subject
    document.core_properties.comments = ""
    _head(document, letter)
    _paragraph(document, "", size=6)
    _paragraph(document, f"{TO}: {letter.to}", middle=True, space=12)
    for words in letter.body:
        _paragraph(document, words, indent=True, space=6)
    _foot(document, letter)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _head(document: Any, letter: Letter) -> None:
    """Write, side by side: the office, number and subject; the nation, its motto, place and date."""
    left, right = _columns(document, (75, 90))
    if letter.above:
        _paragraph(left, letter.above.upper(), middle=True, size=13)
    _paragraph(left, letter.office.upper(), middle=True, bold=True, size=13)
    _line(left)
    _paragraph(left, NUMBER, middle=True, size=13)
    _paragraph(left, letter.subject, middle=True, size=12)
    _paragraph(right, NATION, middle=True, bold=True, size=13)
    _paragraph(right, MOTTO, middle=True, bold=True, size=14)
    _line(right)
    _paragraph(right, letter.date, middle=True, italic=True, size=14)


def _foot(document: Any, letter: Letter) -> None:
    """Write, side by side: who gets the letter, and who signs it."""
    _paragraph(document, "", size=6)
    left, right = _columns(document, (75, 90))
    _paragraph(left, RECIPIENTS, bold=True, italic=True, size=12)
    for words in letter.recipients:
        _paragraph(left, words, size=11)
    for words in letter.signer:
        _paragraph(right, words.upper(), middle=True, bold=True)
    for _ in range(_ROOM_TO_SIGN):
        _paragraph(right, "", middle=True)


def _columns(document: Any, widths: Sequence[int]) -> list[Any]:
    """Return the cells of a table of one row without lines; widths in millimetres."""
    from docx.shared import Mm

    table = document.add_table(rows=1, cols=len(widths))
    table.autofit = False
    for cell, width in zip(table.rows[0].cells, widths, strict=True):
        cell.width = Mm(width)
        # A cell is born with an empty paragraph, which would stand above everything.
        cell._element.remove(cell.paragraphs[0]._element)  # noqa: SLF001 - the library has no other way
    return list(table.rows[0].cells)


def _paragraph(
    into: Any, words: str, *, middle: bool = False, bold: bool = False, italic: bool = False, indent: bool = False,
    size: int = 14, space: int = 0,
) -> None:  # fmt: skip
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Mm, Pt

    paragraph = into.add_paragraph()
    run = paragraph.add_run(words)
    run.bold, run.italic, run.font.size = bold or None, italic or None, Pt(size)
    both = WD_ALIGN_PARAGRAPH.JUSTIFY if indent else WD_ALIGN_PARAGRAPH.LEFT
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER if middle else both
    paragraph.paragraph_format.space_after = Pt(space)
    if indent:
        paragraph.paragraph_format.first_line_indent = Mm(10)


def _line(into: Any) -> None:
    """Draw the short line that stands under the office's name and under the motto."""
    _paragraph(into, "―――――――", middle=True, size=8)


def _use_font(style: Any, size: Any) -> None:
    from docx.oxml.ns import qn

    style.font.name, style.font.size = _FONT, size
    for kind in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
        style.element.rPr.rFonts.set(qn(kind), _FONT)

"""Write an xlsx workbook of one sheet in which every cell is text."""

import io
from collections.abc import Iterable, Sequence

from bot.sheets.lines import LONGEST_CELL

_WIDTH = 22


def written(rows: Iterable[Sequence[str]], title: str) -> bytes:
    """Return the bytes of a workbook; nothing in it is a formula, whatever a text begins with."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for place in range(1, 51):
        sheet.column_dimensions[get_column_letter(place)].width = _WIDTH
    for row in rows:
        line = []
        for text in row:
            cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", text)[:LONGEST_CELL])
            cell.data_type = "s"
            cell.number_format = "@"
            line.append(cell)
        sheet.append(line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()

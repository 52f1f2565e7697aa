"""Rows that are taken without the parser are read as the parser reads them, and whatever it refuses is refused."""

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import InvalidInputError
from bot.sheets.exports import read_export
from bot.sheets.lines import Limits, Line, read_lines
from tests.bot.sheets.files import large, workbook_parts, xlsx, zipped

_STRINGS = "<sst><si><t>Đã trả</t></si><si><t/></si><si><r><t>a &amp;</t></r><r><t> b</t></r></si></sst>"
_STYLES = (
    '<styleSheet><numFmts><numFmt numFmtId="200" formatCode="dd/mm/yyyy hh:mm"/></numFmts><cellXfs>'
    '<xf numFmtId="0"/><xf numFmtId="200"/><xf numFmtId="3"/></cellXfs></styleSheet>'
)
_COMMENT = b"<!-- behind this no row is taken without the parser -->"
_ROOT = re.compile(rb"<worksheet[ >]")
_BEGIN = "<worksheet xmlns='x'><cols><col min='1'/></cols><sheetData>"
_END = "</sheetData><pageMargins left='1'/></worksheet>"
_Found = list[Line] | tuple[str, dict[str, Any]]


def _book(sheet: bytes) -> bytes:
    parts = {**workbook_parts(""), "xl/sharedStrings.xml": _STRINGS, "xl/styles.xml": _STYLES}
    styles = '<Relationship Id="r3" Type="x/styles" Target="styles.xml"/></Relationships>'
    links = str(parts["xl/_rels/workbook.xml.rels"]).replace("</Relationships>", styles)
    return zipped({**parts, "xl/_rels/workbook.xml.rels": links, "xl/worksheets/sheet1.xml": sheet})


def _read(data: bytes, limits: Limits | None = None) -> _Found:
    try:
        return list(read_lines(data, limits))
    except InvalidInputError as error:
        return error.code, dict(error.details)


def _both(sheet: bytes, limits: Limits | None = None) -> _Found:
    """Return what is read of a sheet, after making sure that the parser alone reads the same."""
    found = _read(_book(sheet), limits)
    assert found == _read(_book(_ROOT.sub(_COMMENT + rb"\g<0>", sheet, count=1)), limits)
    return found


_texts = st.one_of(
    st.sampled_from(["0", "1", "2", "-1", " 1 ", "", " ", "45000.5", "12345678901234567", "Đã trả", "2026-11-18"]),
    st.sampled_from(["_x000D_a_x0041_", "&amp;lt;&quot;", "&#10;&#x41;", "\r\n", "\ra", "]]&gt;", "&#13;", "😀", "\n"]),
    st.sampled_from(["&#7885;&#xea;", "&#x80;&#160;"]),
)  # fmt: skip
_attributes = st.tuples(
    st.sampled_from(["", "", ' r="A1"', ' r="B1"', ' r="C7"', ' r="AA2"', ' r="b1"', ' r="E"']),
    st.sampled_from(["", ' s="0"', ' s="1"', ' s="2"', ' s="9"', ' s=""', ' cm="1"']),
    st.sampled_from(["", *(f' t="{kind}"' for kind in ("inlineStr", "inlineStr", "str", "n", "b", "e", "d", ""))]),
).flatmap(lambda it: st.sampled_from(["".join(it), "".join(it), it[0] + it[2] + it[1], it[2] + it[0]]))
_shapes = st.sampled_from(
    ["<c{0}><v>{1}</v></c>", "<c{0}><is><t>{1}</t></is></c>", '<c{0}><is><t xml:space="preserve">{1}</t></is></c>'] * 4
    + ["<c{0}/>", "<c{0}></c>", "<c{0}><v/></c>", "<c{0}><f>{1}</f><v>{1}</v></c>", "<c{0}><f/></c>",
       '<c{0}><f t="shared">A1</f><v>{1}</v></c>', "<c{0}><is><r><t>{1}</t></r><rPh><t>x</t></rPh></is></c>",
       "<c{0}><v><![CDATA[</row>]]></v></c>", "<c{0}><!-- </row> --><v>{1}</v></c>", "<c{0}>\n<v>{1}</v></c >",
       "<x:c{0}><v>{1}</v></x:c>", "<c{0}><v>{1}</v><v>1</v></c>", "<v>{1}</v>", '<c t="s"><v>2</v></c>']
)  # fmt: skip
_cells = st.lists(st.builds(str.format, _shapes, _attributes, _texts), max_size=4).map("".join)
_plain = st.lists(st.sampled_from(["<c><v>1</v></c>", '<c t="str"><v>Đã trả</v></c>', '<c t="s"><v>0</v></c>', "<c/>"]))
_rows = st.builds(
    str.format,
    st.sampled_from(
        ["<row{0}>{1}</row>"] * 8
        + ["<row{0}/>", "\n<row{0}>{1}</row>", "<row{0}>{1}</row >", "<x:row{0}>{1}</x:row>", "<?x </row>?>"]
        + ["<!-- <row></row> --><row{0}>{1}</row>", "x<row{0}>{1}</row>", "<t>{1}</t>", "<rPh>{1}</rPh>"]
        + ["<row><row{0}>{1}</row></row>"]
    ),
    st.sampled_from(["", "", ' spans="1:2"', ' ht="1" a:b=">"', " ", " ht='1'", ' ht="1" r="9"', ' r="20"', ' r="0"']),
    st.one_of(_cells, _plain.map("".join)),
)  # fmt: skip
_sheets = st.lists(_rows, max_size=8).map(lambda rows: (_BEGIN + "".join(rows) + _END).encode())
_snippets = st.sampled_from(
    ["<row>", "</row>", "<c>", "</c>", "<v>", "</v>", "<", ">", "&", "&no;", "&#0;", "&#xD800;", "]]>", '"', "\x01",
     "\ufffe", "<!--", "-->", "</sheetData>", "<sheetData>", "<?x?>", "<!DOCTYPE a>", "<f>", "<t>", " ", 't="s"']
).map(str.encode) | st.binary(min_size=1, max_size=2)  # fmt: skip


@given(_sheets, st.sampled_from([Limits(), Limits(lines=3, columns=2)]))
def test_what_is_taken_at_once_is_what_the_parser_tells(sheet: bytes, limits: Limits) -> None:
    _both(sheet, limits)


@given(_sheets, st.floats(0, 1), st.integers(0, 9), _snippets)
def test_what_is_damaged_is_refused_as_by_the_parser(sheet: bytes, place: float, lost: int, put: bytes) -> None:
    at = int(place * len(sheet))
    _both(sheet[:at])
    _both(sheet[:at] + put + sheet[at + lost :])


@pytest.mark.parametrize(
    "rows",
    [
        "<row><c><v>1</v></c></row></sheetData><sheetData><row><c><v>2</v></c></row>",
        "<row><c><v>1</v></c></row><!-- <row><c><v>2</v></c></row> --><row><c><v>3</v></c></row>",
        "<row><c><v>1</v></c></row><x><!-- </row> --></x><row><c><v>3</v></c></row>",
        '<row r="2"/><row r="4" ht="1"/><row><c><v>1</v></c></row><row r="3"/>',
        '<row><c><v>0</v></c><c t="str"><f>A1</f><v>\n</v></c></row>',
        "<row><c/><v>5</v></row><row><c><c/></c></row>",
        "<row><c><v>5</t></is></c></row>",
        '<row ht="1" ht="1"><c><v>1</v></c></row>',
        '<row><c s="1" s="1"><v>1</v></c></row>',
        "<row><c><is><t>" + "x" * 40_000 + "</t></is></c></row><row><c><v>1</v></c></row>",
        "<row><c><f>&no;</f></c></row>",
        "<row><c><v><![CDATA[&#7885;]]></v></c></row>",
        "<row><c&#160;r='A1'><v>1</v></c></row>",
        "<row><c><v>&#x00ea;&#234;&#55296;&#1114112;</v></c></row>",
        '<row a="&#7885;"><c t="&#x73;tr"><v>&#x00ea;&#234;&#128;&#127;&#60;</v></c></row>',
    ],
)  # fmt: skip
def test_what_looks_like_a_row_is_none(rows: str) -> None:
    _both((_BEGIN + rows + _END).encode())


def test_rows_are_found_across_all_the_pieces_in_which_a_sheet_is_read() -> None:
    plain, odd = '<row><c t="str"><v>Đã trả</v></c></row>', "<row><c><!-- --><v>2</v></c></row>"
    for rows in (plain * 2500, (plain * 5 + odd) * 400, odd * 70 + plain * 2000, plain * 2000 + "<row><c>"):
        found = _both((_BEGIN + rows + _END).encode())
        assert len(found) == rows.count("</row>") or found == ("broken", {})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_other_encodings_are_left_to_the_parser(encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}" standalone="yes"?>\n'
    _both((declared + _BEGIN + '<row><c t="str"><v>ã</v></c></row>' + _END).encode(encoding))


def test_a_sheet_that_is_too_large_is_refused_for_what_stands_first() -> None:
    wrong, filler = '<row r="x"><c>', "<c/>" * 40_000
    limits = Limits(unpacked=100_000)
    assert _both((_BEGIN + "<row>" + wrong + filler + _END).encode(), limits) == ("broken", {})
    assert _both((_BEGIN + "<row>" + filler + _END).encode(), limits) == ("bomb", {})


def test_files_that_programs_have_written_are_read_the_same_either_way() -> None:
    office = Path(__file__).with_name("libreoffice.xlsx").read_bytes()
    for data in (office, xlsx([["a", 1, None, "=A1", True], [], ["  ", 1.5]]), large(300)):
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
            for name in old.namelist():
                part = old.read(name)
                new.writestr(name, _ROOT.sub(_COMMENT + rb"\g<0>", part) if "/worksheets/" in name else part)
        assert list(read_export(data)) == list(read_export(out.getvalue()))
        assert list(read_lines(data)) == list(read_lines(out.getvalue()))

"""The process that reads, checks and writes lists: `python -m bot.checker`, bounded, ended when it has answered."""

import json
import sys
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any, BinaryIO

import orjson

from bot.checker.bounds import OUT_OF_MEMORY, bound
from bot.domain.personal_columns import SAMPLE_LINES
from bot.domain.recipient_list import (
    DOSSIER,
    UNKNOWN_DOSSIER,
    Checked,
    Columns,
    KeyKind,
    LineCheck,
    Problem,
    read_columns,
)
from bot.errors import InvalidInputError
from bot.secrets import SecretBox
from bot.sheets import opendocument, separated, workbook  # noqa: F401 - imports may never end once memory is short
from bot.sheets.lines import Limits, Line, read_lines

_LINES, _BYTES = 1000, 256 * 1024
_KEPT = 2000
"""Characters of a cell that are kept of a bad line."""


def _told(out: BinaryIO, **what: Any) -> None:
    out.write(orjson.dumps(what) + b"\n")
    out.flush()


def _check(task: dict[str, Any], data: bytes, out: BinaryIO) -> None:
    limits = Limits(**task["limits"])
    try:
        lines = read_lines(data, limits)
        first = next(lines, None)
        if first is None:
            raise InvalidInputError("file", "no_rows")  # noqa: TRY301 - said like everything that is wrong with a file
        kind = KeyKind(task["kind"]) if task["kind"] else None
        columns, problems = read_columns(first.cells, task["wanted"], kind)
        if columns is None:
            _told(out, refused=[problem.to_json() for problem in problems])
            return
        _lines(columns, lines, SecretBox(task["secret"].encode()), out)
    except InvalidInputError as error:
        _told(out, refused=[Problem("", error.code, error.details).to_json()])


def _lines(columns: Columns, lines: Iterator[Line], box: SecretBox, out: BinaryIO) -> None:
    first = list(islice(lines, SAMPLE_LINES))
    columns = columns.judged([line.cells for line in first])
    left_out = [problem.to_json() for problem in columns.left_out()]
    about = {
        "fields": columns.fields, "key_column": columns.key_name, "key_kind": columns.kind.value, "left_out": left_out,
    }  # fmt: skip
    check, batch, size, seen = LineCheck(columns), [], 0, 0
    for line in chain(first, lines):
        row = _kept(columns, line, check.check(*line), box)
        batch.append(row)
        seen += 1
        size += len(row[5] or "") + sum(map(len, line.cells))
        if len(batch) >= _LINES or size >= _BYTES:
            _told(out, lines=batch)
            batch, size = [], 0
    if batch:
        _told(out, lines=batch)
    if seen:
        _told(out, columns=about)
    else:
        _told(out, refused=[Problem("", "no_rows").to_json()])


def _kept(columns: Columns, line: Line, checked: Checked, box: SecretBox) -> list[Any]:
    """Return a line as it is kept: number, recipient, address, merged, problems, cells; phones only encrypted.

    A line with a dossier is bad as long as the service has not found whose it is.
    """
    recipient = address = ""
    found, sought = checked.problems, bool(checked.recipient) and columns.kind is KeyKind.DOSSIER
    if checked.recipient and columns.kind is KeyKind.PHONE:
        recipient, address = f"phone:{box.fingerprint(checked.recipient)}", box.seal(checked.recipient).hex()
    elif sought:
        recipient, found = f"{DOSSIER}{checked.recipient}", [*found, Problem(columns.key_name, UNKNOWN_DOSSIER)]
    elif checked.recipient:
        recipient, address = f"user:{checked.recipient}", checked.recipient
    problems = _json([problem.to_json() for problem in found]) if found else None
    cells = None
    if checked.bad or sought:
        texts = {name: text[:_KEPT] for name, text in zip(columns.names, [*line.cells, *[""] * 50], strict=False)}
        cells = box.seal(json.dumps(texts, ensure_ascii=False)).decode()
    # What repeats an earlier line is written to nobody: its values would only outlive the person they are about.
    merged = _json(checked.merged) if recipient else None
    return [checked.number, recipient, address, merged, problems, cells]


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _write(task: dict[str, Any], data: BinaryIO, out: BinaryIO) -> None:
    """Write a workbook: a line is a list of texts, or a bad line of a list with what is wrong with it."""
    from bot import translations
    from bot.sheets.writing import written

    translations.use(task["language"])
    box = SecretBox(task["secret"].encode())
    out.write(written(_rows(data, box, task["title"]), task["title"]))
    out.flush()


def _rows(data: BinaryIO, box: SecretBox, reason: str) -> Iterator[list[str]]:
    say, headed = _sayer(), False
    for raw in data:
        line = orjson.loads(raw)
        if isinstance(line, list):
            yield line
            continue
        cells = json.loads(box.open(line["cells"].encode()))
        if not headed:
            yield [*cells, reason]
            headed = True
        yield [*cells.values(), " ".join(say(problem) for problem in line["problems"])]


def _sayer() -> Callable[[dict[str, Any]], str]:
    from bot import render, translations

    environment = render.environment()
    translations.install(environment)
    module: Any = environment.get_template("console/macros/list_problems.html").module

    def say(problem: dict[str, Any]) -> str:
        words = str(module.sentence(problem))
        return f"{problem['column']}: {words}" if problem["column"] else words

    return say


def main() -> int:
    """Do the one task that stands on the first line of the input; answer on the output."""
    given, out = sys.stdin.buffer, sys.stdout.buffer
    task = orjson.loads(given.readline())
    bound(task["megabytes"], task["seconds"])
    try:
        if task["verb"] == "check":
            _check(task, given.read(), out)
        else:
            _write(task, given, out)
    except MemoryError:
        return OUT_OF_MEMORY
    except BrokenPipeError:  # nobody wants to know any more
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

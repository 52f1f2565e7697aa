"""Read one export of dossiers: `python -m bot.checker.exports`, bounded, ended when it has answered."""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import IO, Any, BinaryIO

import orjson

from bot.checker.bounds import NO_ROOM, OUT_OF_MEMORY, bound
from bot.domain.dossier import digest_of
from bot.domain.dossier_columns import HEADER_WITHIN, Layout, read_header, widest
from bot.domain.dossier_table import Problem, RowReader, Told
from bot.errors import InvalidInputError
from bot.secrets import SecretBox
from bot.sheets import opendocument, separated, workbook  # noqa: F401 - imports may never end once memory is short
from bot.sheets.exports import read_export
from bot.sheets.lines import Line

CHUNK, _LETTERS = 1000, 600_000
"""Rows that lie together, sealed as one; fewer where they have more letters than these."""
_KEPT = 500
"""Characters of a cell that are kept of a bad row."""
_MOST_NAMED = 200
_MOST_REMARKS = 500
_ROW_BITS = 40
_ROW_MASK = (1 << _ROW_BITS) - 1
_IN_MEMORY = 1024 * 1024
"""Bytes of a file that are not put aside on disk while it is read."""


def _told(out: BinaryIO, **what: Any) -> None:
    out.write(orjson.dumps(what) + b"\n")
    out.flush()


class _Seen:
    """Remember the row and the key of each code, as small as it goes: an export may have half a million.

    Codes of one agency and day are kept together, by their running numbers.
    """

    def __init__(self) -> None:
        self._days: dict[str, dict[int | str, int]] = {}

    @staticmethod
    def _parts(code: str) -> tuple[str, int | str]:
        day, _, running = code.rpartition("-")
        # The sign in front keeps the zeros at the beginning of a number.
        return day, int(f"1{running}") if running.isascii() else running

    def at(self, code: str) -> tuple[int, int] | None:
        """Return the number of the row in which a code was seen, and its key."""
        day, running = self._parts(code)
        packed = self._days.get(day, {}).get(running)
        return None if packed is None else (packed & _ROW_MASK, packed >> _ROW_BITS)

    def put(self, code: str, number: int, key: int) -> None:
        """Remember a row."""
        day, running = self._parts(code)
        self._days.setdefault(day, {})[running] = key << _ROW_BITS | number


@dataclass(slots=True)
class _Reading:
    """Go through the rows: good ones leave in chunks, bad ones too, and what is to be said of all of them is gathered.

    Of two rows of one dossier that of the later status counts; the other is named as dropped, though it may have left.
    """

    task: dict[str, Any]
    box: SecretBox
    out: BinaryIO
    good: list[list[Any]] = field(default_factory=list)
    bad: list[list[Any]] = field(default_factory=list)
    seen: _Seen = field(default_factory=_Seen)
    dropped: list[int] = field(default_factory=list)
    remarks: list[dict[str, Any]] = field(default_factory=list)
    units: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    procedures: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    letters: int = 0
    count_bad: int = 0

    def take(self, line: Line, layout: Layout, reader: RowReader) -> None:
        """Read one line."""
        self.rows += 1
        self.letters += sum(map(len, line.cells))
        told, problems = reader.read(line.cells)
        if told is None:
            self._refuse(line, layout, problems)
            return
        for problem in told.remarks:
            self._remark(line.number, problem)
        if self._counts(line.number, told):
            self.good.append(self._row(line.number, told))
        self._let_go()

    def _counts(self, number: int, told: Told) -> bool:
        """Say whether a row counts beside another of the same dossier, and note which does not."""
        key = int(told.at.timestamp() * 1000) << 4 | told.status
        other = self.seen.at(told.code)
        if other is None:
            self.seen.put(told.code, number, key)
            return True
        lost, kept = (other[0], number) if key >= other[1] else (number, other[0])
        if lost != number:
            self.seen.put(told.code, number, key)
        self.dropped.append(lost)
        self._remark(lost, Problem("", "doubled", {"other": kept}))
        return lost != number

    def _row(self, number: int, told: Told) -> list[Any]:
        unit_id = self.task["units"].get(told.unit) if told.unit else self.task["unit_id"]
        if unit_id is None:
            self.units[str(told.facts.get("unit_code", told.unit))] += 1
            unit_id = self.task["unit_id"]
        if code := told.facts.get("procedure_code"):
            self.procedures[code] += 1
        digest = digest_of(self.box, told.facts, unit_id, told.applicant, told.phone)
        who = [told.applicant, told.phone, digest]
        return [number, told.code, int(told.status), told.at, unit_id, told.facts, *who, told.derived]

    def _refuse(self, line: Line, layout: Layout, problems: list[Problem]) -> None:
        self.count_bad += 1
        for problem in problems:
            if problem.code == "unknown_status":
                self.statuses[str(problem.details["value"])] += 1
        self.letters += sum(map(len, layout.names))  # they stand beside the cells of each bad row
        cells = dict(zip(_names(layout, len(line.cells)), (cell[:_KEPT] for cell in line.cells), strict=False))
        self.bad.append([line.number, cells, [problem.to_json() for problem in problems]])
        self._let_go()

    def _remark(self, number: int, problem: Problem) -> None:
        if len(self.remarks) < _MOST_REMARKS:
            self.remarks.append({"row": number, **problem.to_json()})

    def _let_go(self) -> None:
        """Let rows leave once they are many or long: nobody is to keep a line of many megabytes."""
        full = self.letters >= _LETTERS
        if full or len(self.good) >= CHUNK:
            self.flush_good()
        if full or len(self.bad) >= CHUNK:
            self.flush_bad()
        if full:
            self.letters = 0

    def flush_good(self) -> None:
        """Let the good rows leave, sealed."""
        if self.good:
            rows = self.box.seal(orjson.dumps(self.good).decode()).decode()
            _told(self.out, good=rows, numbers=[self.good[0][0], self.good[-1][0]], count=len(self.good))
            self.good = []

    def flush_bad(self) -> None:
        """Let the bad rows leave, sealed."""
        if self.bad:
            _told(self.out, bad=self.box.seal(orjson.dumps(self.bad).decode()).decode(), count=len(self.bad))
            self.bad = []

    def close(self) -> None:
        """Let everything leave that is still here, and say what the file turned out to be."""
        self.flush_good()
        self.flush_bad()
        named = {
            name: [[value, count] for value, count in counter.most_common(_MOST_NAMED)]
            for name, counter in (("units", self.units), ("statuses", self.statuses), ("procedures", self.procedures))
        }
        figures = {"rows": self.rows, "bad": self.count_bad, "doubled": len(self.dropped)}
        _told(self.out, done=figures, dropped=self.dropped, remarks=self.remarks, **named)


def _names(layout: Layout, count: int) -> list[str]:
    """Return names for all columns, each once: a workbook of bad rows has the file's own columns."""
    found: list[str] = []
    for place in range(max(count, len(layout.names))):
        name = (layout.names[place] if place < len(layout.names) else "") or f"#{place + 1}"
        found.append(name if name not in found else f"{name} #{place + 1}")
    return found


def _read(task: dict[str, Any], data: IO[bytes], out: BinaryIO) -> None:
    lines: Iterator[Line] = iter(())
    try:
        lines = read_export(data)
        head = list(islice(lines, HEADER_WITHIN))
        if not head:
            raise InvalidInputError("file", "no_rows")  # noqa: TRY301 - said like everything that is wrong with a file
        index, layout = read_header([line.cells for line in head], task["headers"])
        if layout.missing:
            columns = list(layout.names) or widest([line.cells for line in head])
            code = "no_columns" if index < 0 else f"no_{layout.missing[0]}_column"
            _told(out, refused=[Problem("", code, {}).to_json()], columns=[name for name in columns if name])
            return
        places = {layout.names[place]: column for column, place in layout.places.items()}
        _told(out, columns=[name for name in layout.names if name], mapping=places, header=head[index].number)
        reading = _Reading(task, SecretBox(task["secret"].encode()), out)
        reader = RowReader(layout, task["statuses"], datetime.fromisoformat(task["now"]))
        for line in head[index + 1 :]:
            reading.take(line, layout, reader)
        for line in lines:
            reading.take(line, layout, reader)
        if not reading.rows:
            raise InvalidInputError("file", "no_rows")  # noqa: TRY301 - as above
        reading.close()
    except InvalidInputError as error:
        _told(out, refused=[Problem("", error.code, error.details).to_json()])


def main() -> int:
    """Do the one task that stands on the first line of the input; answer on the output."""
    given, out = sys.stdin.buffer, sys.stdout.buffer
    task = orjson.loads(given.readline())
    bound(task["megabytes"], task["seconds"])
    try:
        # What lies aside has no name, and is gone with the process.
        with SpooledTemporaryFile(_IN_MEMORY) as data:
            copyfileobj(given, data)
            data.seek(0)
            _read(task, data, out)
    except MemoryError:
        return OUT_OF_MEMORY
    except BrokenPipeError:  # nobody wants to know any more
        return 1
    except OSError:
        return NO_ROOM
    return 0


if __name__ == "__main__":
    sys.exit(main())

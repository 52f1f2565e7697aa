"""Read XML parts of a zipped document: never more than a budget of bytes, never a document type or an entity."""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn
from xml.parsers import expat

from bot.errors import InvalidInputError

_CHUNK = 64 * 1024
_ENCRYPTED_FLAG = 1
_BROKEN = (expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, UnicodeDecodeError, OSError)

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Words = Callable[[str], None]


class _LocalNames(dict[str, str]):
    """Names of elements without their prefix, worked out once each."""

    def __missing__(self, name: str) -> str:
        local = self[name] = name.rpartition(":")[2]
        return local


@dataclass(slots=True)
class Budget:
    """How many bytes may still be unpacked from one file."""

    left: int

    def spend(self, number: int) -> None:
        """Count unpacked bytes; raises InvalidInputError bomb when there are too many."""
        self.left -= number
        if self.left < 0:
            raise InvalidInputError("file", "bomb")


class Reader:
    """What looks at one part: it is told of elements by their names without prefix, and of words if it wants them."""

    def __init__(self) -> None:
        self._names = _LocalNames()
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = _refuse_type
        self.parser.EntityDeclHandler = _refuse_type
        self.parser.StartElementHandler = self._root
        self.parser.EndElementHandler = self._end

    def _root(self, name: str, attributes: dict[str, str]) -> None:
        """Take names as they are where the root has no prefix: it is told of every cell, and most files have none."""
        if ":" in name:
            self.parser.StartElementHandler = self._start
        else:
            self.parser.StartElementHandler, self.parser.EndElementHandler = self.start, self.end
        self._start(name, attributes)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.start(self._names[name], attributes)

    def _end(self, name: str) -> None:
        self.end(self._names[name])

    def listen(self, words: Words | None) -> None:
        """Have `words` told the text that follows, until told otherwise."""
        self.parser.CharacterDataHandler = words

    def feed(self, data: bytes, *, final: bool = False) -> None:
        """Take some bytes of the part; raises ExpatError where it is not well-formed."""
        self.parser.Parse(data, final)

    def release(self) -> None:
        """Look at what has been kept back: the part is about to be refused, and what is wrong first is said."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""

    def end(self, name: str) -> None:
        """Take the end of an element."""


def _refuse_type(*_: object) -> NoReturn:
    raise InvalidInputError("file", "broken")


def fed(archive: zipfile.ZipFile, part: str, reader: Reader, budget: Budget) -> Iterator[None]:
    """Let a reader look at a part, chunk by chunk; whoever asks takes out what it has found in between.

    Raises InvalidInputError broken | bomb | password, KeyError when there is no such part.
    """
    info = archive.getinfo(part)
    if info.flag_bits & _ENCRYPTED_FLAG:
        raise InvalidInputError("file", "password")
    try:
        with archive.open(info) as stream:
            while chunk := stream.read(_CHUNK):
                if len(chunk) > budget.left:
                    reader.release()
                budget.spend(len(chunk))
                reader.feed(chunk)
                yield
            reader.feed(b"", final=True)
            yield
    except _BROKEN as error:
        raise InvalidInputError("file", "broken") from error


def looked_at(archive: zipfile.ZipFile, part: str, reader: Reader, budget: Budget) -> None:
    """Let a reader look at a whole part that may be missing."""
    if part in archive.NameToInfo:
        for _ in fed(archive, part, reader, budget):
            pass

"""Read the XML of a warning into elements, and refuse whatever could make a small file large."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from bot.domain.text import clean
from bot.errors import InvalidInputError

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
_OTHER_VERSION = re.compile(r"(?:urn:oasis:names:tc:emergency:cap:|http://www\.incident\.com/cap/)([\d.]+)")
_DEEPEST = 32
_MOST_ELEMENTS = 20_000


@dataclass(slots=True)
class Element:
    """One element of the namespace of CAP; elements of others, such as signatures, are not kept."""

    name: str
    children: list["Element"] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Return its own words, cleaned."""
        return clean("".join(self.pieces))

    def all(self, name: str) -> Iterator["Element"]:
        """Yield the direct children of a name."""
        return (child for child in self.children if child.name == name)

    def word(self, name: str) -> str:
        """Return the words of the first child of a name, "" when there is none."""
        return next((child.text for child in self.all(name)), "")


def wrong(code: str, **details: object) -> InvalidInputError:
    """Make the error that names what is wrong with the file."""
    return InvalidInputError("file", code, **details)


def read_alert(data: bytes) -> Element:
    """Return the alert element of a CAP 1.2 file; raises InvalidInputError as `bot.domain.cap.read_cap` says."""
    return _Reader().read(data)


class _Reader:
    """Build the elements of an alert; whatever could make a small file large is refused as soon as it shows."""

    def __init__(self) -> None:
        self._root: Element | None = None
        self._open: list[Element | None] = []
        self._elements = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.EntityDeclHandler = self._refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._words

    def read(self, data: bytes) -> Element:
        """Return the alert element; raises InvalidInputError."""
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            raise wrong("not_cap" if self._root is None else "cap_broken", line=error.lineno) from error
        except (LookupError, ValueError) as error:  # an encoding that is not known here
            raise wrong("not_cap") from error
        if self._root is None:
            raise wrong("not_cap")
        return self._root

    def _refuse(self, *_: object) -> None:
        raise wrong("cap_dtd")

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        if not self._open:
            self._begin(space, local)
        self._elements += 1
        if len(self._open) >= _DEEPEST or self._elements > _MOST_ELEMENTS:
            raise wrong("not_cap")
        element = Element(local) if space == NAMESPACE else None
        if self._root is None:
            self._root = element
        elif element is not None and self._open[-1] is not None:
            self._open[-1].children.append(element)
        self._open.append(element)

    def _begin(self, space: str, local: str) -> None:
        other = _OTHER_VERSION.fullmatch(space)
        if local == "alert" and other is not None and space != NAMESPACE:
            raise wrong("cap_version", version=other[1])
        if local != "alert" or space != NAMESPACE:
            raise wrong("not_cap")

    def _end(self, _: str) -> None:
        self._open.pop()

    def _words(self, text: str) -> None:
        if self._open and self._open[-1] is not None:
            self._open[-1].pieces.append(text)

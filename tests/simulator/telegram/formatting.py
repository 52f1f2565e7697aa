"""Text with marks: HTML becomes text and entities, as the real one reads it; broken HTML is refused."""

import re
from dataclasses import dataclass
from typing import Any

from .errors import bad
from .model import Json
from .params import Params

TEXT_MAX, CAPTION_MAX = 4096, 1024
KINDS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler", "span": "spoiler",
    "a": "text_link", "code": "code", "pre": "pre", "blockquote": "blockquote", "tg-emoji": "custom_emoji",
}  # fmt: skip
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
CHARACTER = re.compile(r"&(?:#x([0-9a-fA-F]+)|#([0-9]+)|([a-z]+));?")
ATTRIBUTE = re.compile(r"""([a-zA-Z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?""")


def units(text: str) -> int:
    """Return the length in UTF-16 code units, in which the Bot API counts."""
    return len(text.encode("utf-16-le")) // 2


def read(params: Params, name: str, limit: int) -> tuple[str, list[Json]]:
    """Return text and entities of `text` or `caption`; raises RefusalError for what is broken or too long."""
    entities = "entities" if name == "text" else "caption_entities"
    return shape(params.text(name), params.text("parse_mode"), params.rows(entities), limit)


def shape(raw: str, mode: str, given: list[Any], limit: int) -> tuple[str, list[Json]]:
    """Return the text as it is shown and its entities. Raises RefusalError."""
    if mode and mode.lower() != "html":
        raise bad(f"unsupported parse_mode {mode}: the simulator reads HTML only")
    text, entities = _Html(raw).parse() if mode else (raw, [_entity(item, raw) for item in given])
    if units(text) > limit:
        raise bad("message is too long" if limit == TEXT_MAX else "message caption is too long")
    return text.rstrip(), entities


def _entity(item: Any, text: str) -> Json:
    if not isinstance(item, dict) or not isinstance(item.get("offset"), int) or not isinstance(item.get("length"), int):
        raise bad("can't parse MessageEntity")
    if item["offset"] < 0 or item["length"] <= 0 or item["offset"] + item["length"] > units(text):
        raise bad("can't parse entities: entity is outside of the text")
    return {key: value for key, value in item.items() if value is not None}


@dataclass(slots=True)
class _Open:
    tag: str
    entity: Json


class _Html:
    """A reader of the Bot API's HTML (https://core.telegram.org/bots/api#html-style)."""

    def __init__(self, source: str) -> None:
        self.source, self.place = source, 0
        self.text = ""
        self.open: list[_Open] = []
        self.entities: list[Json] = []

    def parse(self) -> tuple[str, list[Json]]:
        while self.place < len(self.source):
            letter = self.source[self.place]
            if letter == "&":
                self._character()
            elif letter == "<":
                self._tag()
            else:
                self.text += letter
                self.place += 1
        if self.open:
            raise self._broken(f'Can\'t find end tag corresponding to start tag "{self.open[-1].tag}"')
        return self.text, sorted(self.entities, key=lambda entity: (entity["offset"], -entity["length"]))

    def _broken(self, sentence: str) -> Exception:
        return bad(f"can't parse entities: {sentence}")

    def _at(self) -> int:
        return len(self.source[: self.place].encode())

    def _character(self) -> None:
        match = CHARACTER.match(self.source, self.place)
        if match and (match[1] or match[2]):
            self.text += chr(int(match[1], 16) if match[1] else int(match[2]))
        elif match and match[3] in NAMED:
            self.text += NAMED[match[3]]
        else:
            match = None
            self.text += "&"
        self.place = match.end() if match else self.place + 1

    def _tag(self) -> None:
        end = self.source.find(">", self.place)
        if end < 0:
            raise self._broken(f"Unclosed start tag at byte offset {self._at()}")
        inner = self.source[self.place + 1 : end]
        if inner.startswith("/"):
            self._close(inner[1:].strip().lower())
        else:
            self._start(inner)
        self.place = end + 1

    def _start(self, inner: str) -> None:
        name, _, rest = inner.partition(" ")
        tag = name.strip().lower()
        if tag not in KINDS:
            raise self._broken(f'Unsupported start tag "{tag}" at byte offset {self._at()}')
        attributes = {m[1].lower(): m[2] or m[3] or m[4] or "" for m in ATTRIBUTE.finditer(rest)}
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            raise self._broken(f'Tag "span" must have class "tg-spoiler" at byte offset {self._at()}')
        entity: Json = {"type": KINDS[tag], "offset": units(self.text), "length": 0}
        if tag == "a":
            entity["url"] = attributes.get("href", "")
        self.open.append(_Open(tag, entity))

    def _close(self, tag: str) -> None:
        if not self.open:
            raise self._broken(f"Unexpected end tag at byte offset {self._at()}")
        opened = self.open.pop()
        if tag not in {"", opened.tag}:
            sentence = f'Unmatched end tag at byte offset {self._at()}, expected "</{opened.tag}>", found "</{tag}>"'
            raise self._broken(sentence)
        entity = opened.entity
        entity["length"] = units(self.text) - entity["offset"]
        if entity["length"] and (entity["type"] != "text_link" or entity["url"]):
            self.entities.append(entity)

"""Recognise what people say in passing: greetings, thanks, agreement, anger; and a no that means "change it"."""

from enum import Enum

from bot.domain.text import fold

_LONGEST = 8


class Courtesy(Enum):
    """What was said in passing."""

    HELLO = "hello"
    THANKS = "thanks"
    ANGER = "anger"


_HELLO = {
    "xin chao",
    "chao",
    "chao ban",
    "chao em",
    "chao anh",
    "chao chi",
    "hello",
    "hi",
    "alo",
    "alo alo",
    "a lo",
    "chao xa",
}
_THANKS = ("cam on", "cam on nhieu", "cam ta", "thank", "thanks", "thank you", "tks")
_AGREED = {
    "ok",
    "oke",
    "okie",
    "da",
    "vang",
    "vang a",
    "da vang",
    "duoc",
    "duoc roi",
    "khong co gi",
    "tot",
    "tot lam",
    "nham",
    "nham may",
}
_THUMBS = {"👍", "❤️", "❤", "🙏", "😊", "😀", "🥰", "👌", "🙂"}
_ANGER = ("lam an kieu gi", "an hai", "vo trach nhiem", "buc minh qua", "qua dang", "chan qua", "te qua", "lua dao dan")
_CHANGE = {
    "sai", "sai roi", "chua dung", "khong dung", "ko dung", "khong phai", "nham roi", "sua lai", "chua du", "thieu",
}  # fmt: skip


def courtesy(text: str) -> Courtesy | None:
    """Return what was said in passing, or None when there is more to it."""
    if text.strip() in _THUMBS or (text.strip() and not fold(text) and any(sign in text for sign in _THUMBS)):
        return Courtesy.THANKS
    folded = fold(text)
    if folded in _HELLO:
        return Courtesy.HELLO
    short = len(folded.split()) <= _LONGEST
    if folded in _AGREED or (short and any(folded.startswith(words) or folded.endswith(words) for words in _THANKS)):
        return Courtesy.THANKS
    return Courtesy.ANGER if short and any(words in folded for words in _ANGER) else None


def wants_change(text: str) -> bool:
    """Tell whether a short no at the end of a report means that something in it is wrong."""
    return fold(text) in _CHANGE

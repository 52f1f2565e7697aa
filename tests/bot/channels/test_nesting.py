"""How deep a document is nested is judged by a number of ours, the same at every depth of the stack."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from bot.channels.nesting import MAX_DEPTH, check_nesting
from bot.channels.telegram import payload as telegram
from bot.channels.zalo import payload as zalo

READERS = pytest.mark.parametrize("read", [zalo.read_object, telegram.read_object], ids=["zalo", "telegram"])
ODD = b'"id":33334444555566667777888899990000,"half":"\\ud800",'
"""What orjson does not read as it should, so that Python's own reader has to."""


def nested(depth: int, odd: bytes = b"") -> bytes:
    return b"{" + odd + b'"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


def below(frames: int, read: Callable[[], Any]) -> Any:
    """Read with so many more frames on the stack."""
    return below(frames - 1, read) if frames else read()


@READERS
@pytest.mark.parametrize("odd", [b"", ODD], ids=["plain", "odd"])
@pytest.mark.parametrize("frames", [0, 500])
def test_the_same_documents_are_read_at_every_depth_of_the_stack(
    read: Callable[[bytes], Any], odd: bytes, frames: int
) -> None:
    assert below(frames, lambda: read(nested(MAX_DEPTH, odd)))
    for depth in (MAX_DEPTH + 1, 500, 950, 1024, 1500, 100_000):
        with pytest.raises(ValueError, match="nested too deeply"):
            below(frames, lambda depth=depth: read(nested(depth, odd)))  # type: ignore[misc] # a default binds


@READERS
def test_a_higher_limit_of_the_stack_changes_nothing(read: Callable[[bytes], Any]) -> None:
    """As set by a library, such as the one that makes up documents for the tests of the webhooks."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(5000)
    try:
        with pytest.raises(ValueError, match="nested too deeply"):
            read(nested(1500))
    finally:
        sys.setrecursionlimit(before)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":"' + b"[{" * 500 + b'"}',
        b'{"a":"\\"' + b"[" * 500 + b'\\\\"}',
        b"[" + b"[]," * 5000 + b"{}]",
        b"]" * 500,
        b'"' + b"[" * 500,
    ],
)
def test_brackets_in_words_and_beside_each_other_are_not_nested(raw: bytes) -> None:
    check_nesting(raw)


def test_brackets_after_words_count() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        check_nesting(b'{"a":"\\\\"' + b"[" * (MAX_DEPTH + 1))

"""Refuse documents nested deeper than any provider writes: the same ones everywhere, however deep the stack is."""

import re
from itertools import accumulate

MAX_DEPTH = 100
"""Providers nest about ten deep. Python's reader and writer of JSON give up at what the stack has left, below 1 000."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def check_nesting(raw: bytes) -> None:
    """Raise ValueError for JSON whose brackets stand more than MAX_DEPTH deep; takes no stack for it."""
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return
    brackets = _STRING.sub(b"", raw).translate(None, _NOT_BRACKETS)
    if any(depth > MAX_DEPTH for depth in accumulate(map(_STEPS.__getitem__, brackets))):
        raise ValueError("nested too deeply")

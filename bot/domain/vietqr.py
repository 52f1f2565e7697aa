"""Write what a VietQR code holds: a transfer to a bank account, by EMVCo's merchant code as NAPAS profiles it."""

import re
import unicodedata

_GUID = "A000000727"
"""NAPAS, by its application id."""
_TO_ACCOUNT = "QRIBFTTA"
_DONG = "704"
_BIN = re.compile(r"\d{6}", re.ASCII)
_ACCOUNT = re.compile(r"[0-9A-Za-z]{1,19}", re.ASCII)
_MOST_AMOUNT = 13
_MOST_PURPOSE = 25
_MOST = 99
_PRINTABLE = re.compile(r"[^ -~]")


def is_bin(text: str) -> bool:
    """Say whether a text can be the number by which NAPAS knows a bank: six digits."""
    return _BIN.fullmatch(text) is not None


def is_account(text: str) -> bool:
    """Say whether a text can be an account that a code names: up to 19 letters and digits."""
    return _ACCOUNT.fullmatch(text) is not None


def payload(bin_: str, account: str, amount: int | None = None, purpose: str = "") -> str:
    """Return the text of a code: to whom, how much in đồng (None: whoever pays says), and what for.

    `purpose` loses its accents and what does not fit, 25 characters. Raises ValueError for a bank, account or amount
    that no code can name.
    """
    if not is_bin(bin_) or not is_account(account):
        raise ValueError("no bank account that a code can name")
    if amount is not None and not (amount > 0 and len(str(amount)) <= _MOST_AMOUNT):
        raise ValueError("no amount that a code can name")
    words = plain(purpose)[:_MOST_PURPOSE].strip()
    to = _field("00", _GUID) + _field("01", _field("00", bin_) + _field("01", account)) + _field("02", _TO_ACCOUNT)
    body = _field("00", "01") + _field("01", "11" if amount is None else "12") + _field("38", to) + _field("53", _DONG)
    body += "" if amount is None else _field("54", str(amount))
    body += _field("58", "VN")
    body += _field("62", _field("08", words)) if words else ""
    return body + "6304" + checksum(f"{body}6304")


def plain(text: str) -> str:
    """Return words as banks carry them: letters without accents, no signs beyond ASCII."""
    bare = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return re.sub(r" +", " ", _PRINTABLE.sub("", bare)).strip()


def _field(name: str, value: str) -> str:
    assert len(value) <= _MOST
    return f"{name}{len(value):02d}{value}"


def checksum(text: str) -> str:
    """Return the CRC-16 of a text by ISO/IEC 13239 (polynomial 1021, begun with FFFF), four hex digits."""
    register = 0xFFFF
    for byte in text.encode("ascii"):
        register ^= byte << 8
        for _ in range(8):
            register = ((register << 1) ^ 0x1021 if register & 0x8000 else register << 1) & 0xFFFF
    return f"{register:04X}"

"""What is sealed is read with the same key only, also what was sealed before in another form."""

from base64 import urlsafe_b64encode

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from bot import secrets
from bot.errors import DecryptionError
from bot.secrets import SecretBox

KEY = b"a-secret-of-tests-that-is-long-enough"
BOX = SecretBox(KEY)


@given(st.text())
def test_what_is_sealed_is_opened_again_and_never_looks_the_same(text: str) -> None:
    sealed = BOX.seal(text)
    assert BOX.open(sealed) == text
    assert sealed.isascii()
    assert BOX.seal(text) != sealed
    assert len(text) < 8 or text.encode() not in sealed


def test_with_another_key_or_a_letter_changed_it_is_not_opened() -> None:
    sealed = BOX.seal("Nguyễn Văn Mẫu")
    with pytest.raises(DecryptionError):
        SecretBox(b"another-secret-of-tests-long-enough").open(sealed)
    for place in range(len(sealed)):
        changed = sealed[:place] + (b"A" if sealed[place : place + 1] != b"A" else b"B") + sealed[place + 1 :]
        with pytest.raises(DecryptionError):
            BOX.open(changed)
    for short in (b"", b"1", sealed[:10], sealed[:-1]):
        with pytest.raises(DecryptionError):
            BOX.open(short)


def test_what_was_sealed_in_the_form_before_is_still_opened() -> None:
    before = Fernet(urlsafe_b64encode(secrets._derive(KEY, b"encrypt"))).encrypt("Nguyễn Văn Mẫu".encode())
    assert BOX.open(before) == "Nguyễn Văn Mẫu"
    with pytest.raises(DecryptionError):
        SecretBox(b"another-secret-of-tests-long-enough").open(before)


def test_fingerprints_find_equal_texts_under_one_key() -> None:
    assert BOX.fingerprint("84900000001") == SecretBox(KEY).fingerprint("84900000001")
    assert BOX.fingerprint("84900000001") != BOX.fingerprint("84900000002")
    assert BOX.fingerprint("84900000001") != SecretBox(KEY + b"x").fingerprint("84900000001")
    assert (len(BOX.fingerprint("x")), len(BOX.sign("x"))) == (64, 32)

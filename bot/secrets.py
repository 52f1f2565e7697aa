"""Encrypt what must not be read from the database file, and make searchable fingerprints of it."""

import hmac
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.errors import DecryptionError

_FORM = b"1"
"""What sealed values begin with: 96 random bits and AES-256-GCM, as base64; those of Fernet, kept before, with g."""
_NONCE_BYTES = 12


class SecretBox:
    """Encrypt and fingerprint with keys derived from the configured secret key (each purpose its own)."""

    def __init__(self, secret_key: bytes) -> None:
        self._cipher = AESGCM(_derive(secret_key, b"seal"))
        self._fernet = Fernet(urlsafe_b64encode(_derive(secret_key, b"encrypt")))
        self._index = _derive(secret_key, b"index")
        self._signing = _derive(secret_key, b"sign")

    def seal(self, text: str) -> bytes:
        """Encrypt a text; what comes out is ASCII."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORM + urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, text.encode(), _FORM))

    def open(self, sealed: bytes) -> str:
        """Decrypt what `seal` made; raises DecryptionError when the key is another one."""
        try:
            if not sealed.startswith(_FORM):
                return self._fernet.decrypt(sealed).decode()
            kept = urlsafe_b64decode(sealed[len(_FORM) :])
            return self._cipher.decrypt(kept[:_NONCE_BYTES], kept[_NONCE_BYTES:], _FORM).decode()
        except (InvalidToken, InvalidTag, ValueError) as error:
            raise DecryptionError("the stored secret was written with another secret_key") from error

    def fingerprint(self, text: str) -> str:
        """Return a keyed hash, 64 hex digits: equal texts are found without being readable."""
        return hmac.digest(self._index, text.encode(), "sha256").hex()

    def sign(self, text: str) -> str:
        """Return a short signature for values that travel through a browser, 32 hex digits."""
        return hmac.digest(self._signing, text.encode(), "sha256").hex()[:32]


def new_webhook_key() -> str:
    """Return a fresh key that a provider is to show with each webhook: 43 letters, digits, dashes and underscores."""
    return secrets.token_urlsafe(32)


def _derive(secret_key: bytes, purpose: bytes) -> bytes:
    return hmac.digest(secret_key, b"loa:" + purpose, "sha256")

"""Encrypt what must not be read from the database file, and make searchable fingerprints of it."""

import hmac
import secrets
from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken

from bot.errors import DecryptionError


class SecretBox:
    """Encrypt and fingerprint with keys derived from the configured secret key (each purpose its own)."""

    def __init__(self, secret_key: bytes) -> None:
        self._fernet = Fernet(urlsafe_b64encode(_derive(secret_key, b"encrypt")))
        self._index = _derive(secret_key, b"index")
        self._signing = _derive(secret_key, b"sign")

    def seal(self, text: str) -> bytes:
        """Encrypt a text."""
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """Decrypt what `seal` made; raises DecryptionError when the key is another one."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
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

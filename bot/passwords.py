"""Hash and check passwords with argon2id, beside the event loop and few at a time."""

import asyncio
import hashlib
import secrets
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pyotp
import segno
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_PASSWORD = 10
MAX_PASSWORD = 200
ISSUER = "Loa"
TOTP_SECONDS = 30
_PARALLEL = 4
_HASHER = PasswordHasher()
_COSTS = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
_RANDOM = [b64encode(secrets.token_bytes(n)).decode().rstrip("=") for n in (_HASHER.salt_len, _HASHER.hash_len)]
_NOBODY = "$".join(["", "argon2id", "v=19", _COSTS, *_RANDOM])
"""Checked when an e-mail is unknown, so that the answer takes as long as for a known one; no password has this hash."""
_threads = ThreadPoolExecutor(_PARALLEL, thread_name_prefix="argon2")


async def hash_password(password: str) -> str:
    """Return the argon2id hash of a password."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _HASHER.hash, password)


async def verify_password(stored: str | None, password: str) -> bool:
    """Say whether a password fits the stored hash; None takes as long and is never right."""
    right = await asyncio.get_running_loop().run_in_executor(_threads, _fits, stored or _NOBODY, password)
    return right and stored is not None


def _fits(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def new_token() -> str:
    """Return 32 random bytes for a cookie."""
    return secrets.token_urlsafe(32)


def token_id(token: str) -> str:
    """Return what the database knows of a token: its SHA-256, 64 hex digits."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_totp_secret() -> str:
    """Return a seed for one-time codes (RFC 6238), base32."""
    return pyotp.random_base32()


def totp_address(secret: str, email: str) -> str:
    """Return the otpauth address that authenticator apps read."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def qr_svg(address: str) -> str:
    """Return a QR code as one SVG element without colours of its own, so that it needs no style."""
    code = segno.make(address, error="m")
    return str(code.svg_inline(scale=5, border=2, omitsize=False, svgclass="qr", lineclass=None))


def totp_step(secret: str, code: str, now: datetime) -> int | None:
    """Return the time step that a code belongs to, one step of clock difference forgiven; None when it is wrong."""
    digits = "".join(c for c in code if c.isascii() and c.isdigit())
    current = int(now.timestamp()) // TOTP_SECONDS
    totp = pyotp.TOTP(secret)
    for step in (current, current - 1, current + 1):
        if secrets.compare_digest(totp.generate_otp(step), digits):
            return step
    return None

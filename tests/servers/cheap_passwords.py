"""Hash passwords cheaply: what a hash costs on purpose, a run of all tests would pay many hundred times."""

import secrets

from argon2 import PasswordHasher

from bot import passwords

IN_LIFE = passwords._HASHER
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def install() -> None:
    """Hash with the least of costs from now on in this process; a hash tells its costs, so checking it is as cheap."""
    passwords._HASHER = _CHEAP
    passwords._NOBODY = hashed(secrets.token_hex())


def hashed(password: str) -> str:
    """Return the hash of a password, for rows that tests write themselves."""
    return _CHEAP.hash(password)

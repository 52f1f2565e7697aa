"""Make each peer an environment of its own from its lock; they cannot share one (Celery and arq want other redis)."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
LOCKS = Path(__file__).with_name("locks")
TARGET = REPOSITORY / "var" / "peers"
PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes", "-r")


class PeerEnvironmentError(RuntimeError):
    """An environment could not be made."""


def environment(name: str) -> Path:
    """Return the `bin` folder of the environment of fastapi, celery, aiogram or arq, made when its lock has changed.

    Raises PeerEnvironmentError; pip has then said why on standard error.
    """
    lock, folder = LOCKS / f"{name}.lock", TARGET / name
    programs, stamp = folder / "venv" / "bin", folder / lock.name
    if not stamp.exists() or stamp.read_text() != lock.read_text():
        sys.stderr.write(f"Making an environment for {name} in {folder.relative_to(REPOSITORY)}\n")
        shutil.rmtree(folder, ignore_errors=True)
        steps = ([sys.executable, "-m", "venv", str(folder / "venv")], [str(programs / "python"), *PIP, str(lock)])
        for step in steps:
            if subprocess.run(step, check=False).returncode:
                raise PeerEnvironmentError(f"the environment of {name} could not be made (see above)")
        shutil.copy(lock, stamp)
    return programs


def versions(name: str, *packages: str) -> dict[str, str]:
    """Return the locked version of each package."""
    pins = dict(re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", (LOCKS / f"{name}.lock").read_text(), re.MULTILINE))
    return {package: pins[package] for package in packages}

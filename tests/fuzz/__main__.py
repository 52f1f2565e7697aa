"""Fuzz every target for its share of the time; says in one line where the fuzzer does not install."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.fuzz.targets import TARGETS

REPOSITORY = Path(__file__).parents[2]
LOCK = Path(__file__).with_name("atheris.lock")
FOLDER = REPOSITORY / "var" / "fuzz"
_PIP = (
    "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--require-hashes",
    "--only-binary", ":all:",
)  # fmt: skip


def main() -> int:
    """Return 1 when a target broke a promise; what did it lies in var/fuzz then."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    arguments = parser.parse_args()
    packages = FOLDER / "packages"
    if not installed(packages):
        print("atheris does not install for this Python or platform: nothing was fuzzed")
        return 0
    broken = [name for name in TARGETS if not fuzzed(name, packages, max(1, arguments.seconds // len(TARGETS)))]
    print(f"broke a promise: {', '.join(broken)}; see {FOLDER}" if broken else f"fuzzed: {', '.join(TARGETS)}")
    return 1 if broken else 0


def installed(packages: Path) -> bool:
    """Install atheris into a folder of its own, unless this lock's is there; False when there is none for us."""
    stamp = packages / LOCK.name
    if stamp.exists() and stamp.read_text() == LOCK.read_text():
        return True
    shutil.rmtree(packages, ignore_errors=True)
    command = [sys.executable, *_PIP, "--target", str(packages), "-r", str(LOCK)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        return False
    shutil.copy(LOCK, stamp)
    return True


def fuzzed(name: str, packages: Path, seconds: int) -> bool:
    """Fuzz one target from its recorded bodies and from what earlier runs found; False when it broke a promise."""
    found = FOLDER / name
    found.mkdir(parents=True, exist_ok=True)
    options = (f"-max_total_time={seconds}", f"-artifact_prefix={FOLDER}/{name}-", "-timeout=10", "-verbosity=0")
    command = [sys.executable, "-m", "tests.fuzz.led", name, *options, str(found), str(TARGETS[name][1])]
    paths = os.pathsep.join([str(packages), str(REPOSITORY)])
    print(f"{name}: {seconds} s", flush=True)
    return not subprocess.run(command, check=False, cwd=REPOSITORY, env=os.environ | {"PYTHONPATH": paths}).returncode


if __name__ == "__main__":
    raise SystemExit(main())

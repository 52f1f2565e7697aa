"""Fuzz one target in this process until its time is over: `python -m tests.fuzz.led TARGET [libFuzzer's options]`."""

import sys
from importlib import import_module
from typing import Any

atheris: Any = import_module("atheris")  # installed by __main__, into a folder of its own

with atheris.instrument_imports(include=["bot"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Hand the target to libFuzzer, which ends the process."""
    target, _ = TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

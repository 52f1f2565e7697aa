"""The front door: `loa` = `python -m bot`; reads the command line, says errors in one line, sets the exit code."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.errors import ConfigError, LoaError

_COMMANDS = {
    "serve": "web and worker in one process",
    "web": "console and webhooks only",
    "worker": "jobs only",
    "migrate": "bring the database's schema up to date",
    "reconcile": "check that all that came in and went out adds up",
    "check": "read the configuration, ping everything, say what is wrong",
    "demo": "fill an empty database with demo data",
    "staff": "add people who work in the console",
    "unit": "import units",
    "procedure": "import procedures",
    "dossier": "import dossiers from an export of the one-stop system",
    "account": "connect Official Accounts and bots",
    "api-key": "make and revoke the keys of systems that push dossiers",
}
"""Commands, each in bot/cli/<name>.py (dashes as underscores) with `configure(parser)` and `run(arguments) -> int`."""


def parser() -> argparse.ArgumentParser:
    """Build the command line's parser; a command's own module is loaded only when it is used or helped."""
    front = argparse.ArgumentParser(prog="loa", description="Official Accounts of a local government, answered.")
    commands = front.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, words in _COMMANDS.items():
        commands.add_parser(name, help=words, description=words, add_help=False)
    return front


def _configured(name: str) -> tuple[argparse.ArgumentParser, object]:
    module = importlib.import_module(f"bot.cli.{name.replace('-', '_')}")
    own = argparse.ArgumentParser(prog=f"loa {name}", description=_COMMANDS[name])
    own.add_argument("--config", type=Path, default=Path("config.toml"), help="configuration file (config.toml)")
    module.configure(own)
    return own, module


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 is well, 1 a failure, 2 misuse or a wrong configuration."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    anywhere = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    anywhere.add_argument("--config", type=Path, default=Path("config.toml"))
    chosen, others = anywhere.parse_known_args(given)
    known, rest = parser().parse_known_args(others)
    own, module = _configured(known.command)
    parsed = own.parse_args(rest)
    parsed.config = chosen.config
    try:
        return int(module.run(parsed))  # type: ignore[attr-defined] # every command module has run()
    except ConfigError as error:
        for problem in error.problems:
            print(f"loa: {problem}", file=sys.stderr)
        return 2
    except LoaError as error:
        print(f"loa: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())

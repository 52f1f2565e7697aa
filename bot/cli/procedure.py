"""`loa procedure import FILE`: procedures from the national catalogue, or from a table of our own."""

import argparse
import asyncio
import sys
from pathlib import Path

from bot import config
from bot.actions.procedure_file import Read, read_procedures
from bot.actions.procedures import Kept, ProcedureImport, bring_in, chosen_of
from bot.config import Settings
from bot.domain.text import excerpt
from bot.errors import ConfigError, InvalidInputError
from bot.runtime import opened
from bot.store.unit_of_work import Actor

_WORDS = {
    "not_json": "no record of the catalogue:",
    "bad_code": "no code of a procedure (1.000253):",
    "bad_name": "no name:",
    "bad_days": "days is no whole number above 0:",
    "bad_fee": "fee is no amount:",
    "bad_online": "online is none of: toàn trình, một phần, không:",
    "bad_url": "url is no web address:",
    "double_code": "a line before tells this procedure already:",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    commands = parser.add_subparsers(dest="action", required=True)
    bring = commands.add_parser("import", help="import procedures")
    told = "jsonl of the national catalogue, or csv, xlsx, ods: code,name[,field,days,fee,online,url]"
    bring.add_argument("file", type=Path, help=told)
    bring.add_argument("--field", action="append", default=[], help="only this field (may be repeated)")
    bring.add_argument("--without-field", action="append", default=[], help="not this field (may be repeated)")
    bring.add_argument("--level", default="", help="only what is done at this level, such as xã")
    bring.add_argument("--link", default="", help="where to file online, with {code} or {full_code} in the address")
    bring.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")


def run(arguments: argparse.Namespace) -> int:
    """Import the file; 1 when some lines were bad (the good ones are in)."""
    settings = config.load(arguments.config)
    try:
        lines = read_procedures(arguments.file, arguments.link)
    except OSError as error:
        raise ConfigError([f"{arguments.file}: {error.strerror}"]) from error
    except InvalidInputError as error:
        details = ", ".join(str(value) for value in error.details.values())
        raise ConfigError([f"{arguments.file}: {error.code.replace('_', ' ')} {details}".strip()]) from error
    done = asyncio.run(_import(settings, lines, arguments))
    _tell(done, dry=arguments.dry_run)
    return 1 if done.problems else 0


async def _import(settings: Settings, lines: list[Read], arguments: argparse.Namespace) -> ProcedureImport:
    chosen = chosen_of(arguments.field, arguments.without_field, arguments.level)
    actor = Actor("system", name="loa procedure import")
    async with opened(settings) as runtime, runtime.units_of_work(actor) as uow:
        return await bring_in(uow, lines, chosen, dry=arguments.dry_run)


def _tell(done: ProcedureImport, *, dry: bool) -> None:
    verb = "would be " if dry else ""
    print(
        f"procedures: {len(done.added)} {verb}added, {len(done.changed)} {verb}changed, {done.same} as before, "
        f"{done.left_out} left out, {len(done.kept)} kept as edited, {len(done.problems)} bad"
    )
    for name in done.unknown_fields:
        print(f"loa: no procedure of the file is of the field {name!r}", file=sys.stderr)
    for kept in done.kept:
        print(f"line {kept.number}: {kept.code} kept as edited: {_differences(kept)}")
    for problem in done.problems:
        print(f"loa: line {problem.number}: {_WORDS[problem.problem]} {problem.value!r}", file=sys.stderr)


def _differences(kept: Kept) -> str:
    told = kept.differences.items()
    return ", ".join(f"{name} {_shown(ours)} (file: {_shown(theirs)})" for name, (ours, theirs) in told)


def _shown(value: object) -> str:
    return repr(excerpt(value, 60) if isinstance(value, str) else value)

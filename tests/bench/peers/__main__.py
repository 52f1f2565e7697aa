"""`python -m tests.bench.peers [NAME …]`: measure us and the peers in one run, and how many times as fast we are."""

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.bench import __main__ as bench
from tests.bench import service
from tests.bench.harness import RUNS, Figure, Options, chosen
from tests.bench.peers import (
    recipients,  # noqa: F401 - registers what it measures
    webhooks,  # noqa: F401 - registers what it measures
)
from tests.bench.peers.environments import PeerEnvironmentError, environment
from tests.bench.peers.table import WHAT, markdown, ratios

ENVIRONMENTS = ("fastapi", "celery", "aiogram", "arq")


async def _measure(names: list[str], options: Options, out: Path) -> list[Figure]:
    """Measure each of ours right beside its peer, so that both see the machine in the same mood; keep each at once."""
    figures: list[Figure] = []
    for name in names:
        try:
            found = await bench.measure([name], options)
        except TimeoutError:
            print(f"{name}: not measured, it did not end in time", flush=True)
            continue
        bench.write(out, found, quick=options.quick)
        figures += [figure for figure in found if figure.name == name]
    return figures


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.bench.peers", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="figures, or beginnings of their names; all if none")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work: shows that it runs, not how fast")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"runs per figure, {RUNS} unless told")
    parser.add_argument("--out", type=Path, default=bench.ROOT / "var" / "bench.json", help="where the figures go")
    parser.add_argument("--markdown", action="store_true", help="print the tables for docs/benchmarks.md at the end")
    return parser.parse_args()


def main() -> int:
    """Measure what the command line names; exit code 1 when a figure is missing, 2 for a name nobody knows."""
    arguments = _arguments()
    bench.load_modules()
    names = [name for name in WHAT if name.startswith(tuple(arguments.names or [""]))]
    if not names:
        print(f"no figure is called {' or '.join(arguments.names)}", file=sys.stderr)
        return 2
    try:
        for name in ENVIRONMENTS:
            environment(name)
    except PeerEnvironmentError as error:
        print(error, file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to be ended is as Ctrl-C: nothing is left running
    service.begin()
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=bench.ROOT / "var"))
    try:
        options = Options(folder, quick=arguments.quick, runs=arguments.runs)
        figures = asyncio.run(_measure([name for name in names if chosen([name])], options, arguments.out))
    finally:
        service.end()
        shutil.rmtree(folder, ignore_errors=True)
    compared = ratios(figures)
    for figure in compared:
        print(bench.line(figure))
    bench.write(arguments.out, compared, quick=arguments.quick)
    if arguments.markdown:
        print("\n" + markdown([*figures, *compared], bench.machine(), quick=arguments.quick))
    missing = [name for name in names if name not in {figure.name for figure in figures}]
    if missing:
        print(f"not measured: {', '.join(missing)}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())

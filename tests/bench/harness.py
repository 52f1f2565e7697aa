"""Register benchmarks, run each several times, and keep the median of the runs whose books balance."""

import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RUNS = 3
_VOIDS_ALLOWED = 2


class VoidError(Exception):
    """A run whose rows do not equal its acknowledgements; it is printed and not counted."""


class UnavailableError(Exception):
    """What a benchmark needs is not on this machine."""


@dataclass(frozen=True)
class Figure:
    """One measured number; `n` is how many runs stand behind it, `detail` what else was seen."""

    name: str
    value: float
    unit: str
    n: int
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """How hard to try: `quick` measures a tenth as much; `folder` is for data, emptied afterwards."""

    folder: Path
    quick: bool = False
    runs: int = RUNS

    def scaled(self, number: int, at_least: int = 1) -> int:
        """Return a count of work, a tenth of it in a quick run."""
        return max(number // 10, at_least) if self.quick else number


Measure = Callable[[Options], Awaitable[list[Figure]]]


@dataclass(frozen=True)
class Benchmark:
    """One registered function and the names of the figures it yields."""

    names: tuple[str, ...]
    measure: Measure


REGISTERED: list[Benchmark] = []


def benchmark(*names: str) -> Callable[[Measure], Measure]:
    """Register an async function that takes Options and returns a Figure for each of `names`."""

    def register(measure: Measure) -> Measure:
        REGISTERED.append(Benchmark(names, measure))
        return measure

    return register


def chosen(wanted: list[str]) -> list[Benchmark]:
    """Return the benchmarks of which a name is, or begins with, one of `wanted`; all when nothing is wanted."""
    if not wanted:
        return list(REGISTERED)
    prefixes = tuple(wanted)
    return [it for it in REGISTERED if any(name.startswith(prefixes) for name in it.names)]


@dataclass(frozen=True)
class Run:
    """What one run gave: the number, and details of which the median's are kept."""

    value: float
    detail: dict[str, Any]


async def median(name: str, unit: str, options: Options, once: Callable[[int], Awaitable[Run]]) -> Figure:
    """Call `once(number)` until `options.runs` of them count, and return the middle one.

    Raises VoidError when more than two runs are void.
    """
    runs: list[Run] = []
    void = 0
    while len(runs) < options.runs:
        try:
            runs.append(await once(len(runs) + void))
        except VoidError as reason:
            void += 1
            print(f"{name}: VOID, {reason}", flush=True)  # noqa: T201 - a benchmark speaks on standard output
            if void > _VOIDS_ALLOWED:
                raise
    middle = sorted(runs, key=lambda run: run.value)[len(runs) // 2]
    values = [round(run.value, 3) for run in runs]
    detail = {**middle.detail, "runs": values, "void": void}
    return Figure(name, round(statistics.median(values), 3), unit, len(runs), detail)

"""Set our figures against those of the peers: the ratios, and a table for docs/benchmarks.md."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from tests.bench.harness import Figure
from tests.servers import redis_server

PAIRS = {
    "peer.ratio.ingest.sqlite": ("ingest.sqlite.rps", "peer.fastapi.sqlite.rps"),
    "peer.ratio.ingest.postgres": ("ingest.postgres.rps", "peer.fastapi.postgres.rps"),
    "peer.ratio.send": ("send.postgres.per_s", "peer.arq.per_s"),
}
"""Each ratio: ours over theirs, the same work on the same database."""
CPU = ("cpu_us_per_request", "cpu_us_per_send")

WHAT = {
    "ingest.sqlite.rps": "Loa, SQLite, synchronous=FULL",
    "peer.fastapi.sqlite.rps": "FastAPI + SQLAlchemy ORM, a commit per request, SQLite, synchronous=FULL",
    "ingest.postgres.rps": "Loa, PostgreSQL, synchronous_commit=on",
    "peer.fastapi.postgres.rps": "FastAPI + SQLAlchemy ORM, a commit per request, PostgreSQL, synchronous_commit=on",
    "peer.flask_celery.rps": "Flask + gunicorn (1 × 16 threads), Celery task into Redis, which keeps it in memory only",
    "peer.aiogram.rps": "aiogram's webhook server, a handler that does nothing, nothing kept",
    "send.postgres.per_s": "Loa, a message per recipient, every outcome recorded, PostgreSQL",
    "peer.arq.per_s": "arq, a job per recipient: queueing, one POST, one UPDATE with commit, PostgreSQL",
    "peer.celery.per_s": "Celery, a task per recipient that does nothing, 2 processes",
}


def ratios(figures: Sequence[Figure]) -> list[Figure]:
    """Return how many times as fast as its peer each of ours was in this run, where both were measured."""
    found = {figure.name: figure for figure in figures}
    return [
        _ratio(name, found[ours], found[theirs])
        for name, (ours, theirs) in PAIRS.items()
        if ours in found and theirs in found
    ]


def _ratio(name: str, ours: Figure, theirs: Figure) -> Figure:
    values = [round(_whole(ours), 1), round(_whole(theirs), 1)]
    detail: dict[str, Any] = {"ours": ours.name, "theirs": theirs.name, "values": values}
    for key in CPU:
        if key in ours.detail and key in theirs.detail:
            detail["cpu_ratio"] = round(theirs.detail[key] / ours.detail[key], 2)
    return Figure(name, round(_whole(ours) / _whole(theirs), 2), "x", min(ours.n, theirs.n), detail)


def _whole(figure: Figure) -> float:
    """Return the rate with the planning of a broadcast counted in, as queueing counts for a peer."""
    if "plan_s" not in figure.detail:
        return figure.value
    sends = figure.detail["sends"]
    return float(sends / (sends / figure.value + figure.detail["plan_s"]))


def markdown(figures: Sequence[Figure], machine: Mapping[str, Any], *, quick: bool) -> str:
    """Return the figures as tables with machine, versions and date, as docs/benchmarks.md carries them."""
    lines = ["| Figure | What | Median | Unit | Runs |", "|---|---|--:|---|---|"]
    for figure in figures:
        if figure.name in WHAT:
            runs = " · ".join(f"{value:,.0f}" for value in figure.detail.get("runs", ()))
            lines.append(f"| `{figure.name}` | {WHAT[figure.name]} | {figure.value:,.0f} | {figure.unit} | {runs} |")
    compared = [figure for figure in figures if figure.name in PAIRS]
    if compared:
        lines += ["", "| Ratio | Ours | Theirs | Times as fast | Times less processor |", "|---|---|---|--:|--:|"]
    for figure in compared:
        ours, theirs = PAIRS[figure.name]
        less = figure.detail.get("cpu_ratio", "")
        lines.append(f"| `{figure.name}` | `{ours}` | `{theirs}` | {figure.value:.1f} | {less} |")
    return "\n".join([*lines, "", *_circumstances(figures, machine, quick=quick)]) + "\n"


def _circumstances(figures: Sequence[Figure], machine: Mapping[str, Any], *, quick: bool) -> list[str]:
    peers = {figure.name.split(".")[1]: figure.detail["versions"] for figure in figures if "versions" in figure.detail}
    place = (
        f"{machine['at'][:10]} · {machine['cpu']}, {machine['cores']} cores, {machine['memory_mb'] / 1024:.0f} GiB · "
        f"{machine['system']} · Python {machine['python']} · SQLite {machine['sqlite']} · Redis {_redis_version()}. "
        "Server on one core, load and fake provider on the other, databases and Redis on both; loopback, no TLS."
    )
    lines = [place, "", f"Versions of ours: {_listed(machine['packages'])}.", ""]
    lines.append(f"Of the peers: {'; '.join(f'{name}: {_listed(found)}' for name, found in peers.items())}.")
    warning = ["A quick run with a tenth of the work: it shows that everything runs, not how fast.", ""]
    return [*(warning if quick else []), *lines]


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items())


def _redis_version() -> str:
    program = redis_server.program()
    told = subprocess.run([program or "true", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"v=(\S+)", told)
    return found[1] if found else "unknown"

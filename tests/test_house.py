"""The rules of the house that are checks, not paragraphs (ARCHITECTURE.md)."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import pytest
from jinja2 import nodes

from bot import config, queue, render
from bot.domain.access import Permission
from bot.domain.case import OPEN_STATES, CaseState
from bot.domain.delivery import FINAL_STATES, DeliveryState
from handlers.routes import TABLE as ROUTES
from jobs import worker

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ("bot", "handlers", "jobs")
PUBLIC_PATHS = {
    "/login",
    "/healthz",
    "/readyz",
    "/metrics",
    "/webhooks/telegram/{account}",
    "/webhooks/zalo",
    "/zalo_verifier{code}.html",
    # These ask for the key of the system that calls, but for the document that describes them.
    "/api/v1/dossiers:batch",
    "/api/v1/dossiers/{code}/events",
    "/api/v1/dossiers/{code}",
    "/api/v1/openapi.json",
    "/static/{name:.+}",
    "/login/code",
    "/favicon.ico",
}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "core", "base", "service", "misc"}


def sources(*rooms: str) -> Iterator[Path]:
    for room in rooms or SOURCE:
        yield from sorted((ROOT / room).rglob("*.py"))


def test_job_name_is_file_is_function_is_registered() -> None:
    """A job called x is jobs/x.py with a function x, listed in bot/queue.py and in jobs/worker.py."""
    names = {job.name for job in queue.JOBS}
    others = {"__init__", "worker", "runner", "periodic", "broadcast_range"}
    files = {p.stem for p in (ROOT / "jobs").glob("*.py")} - others
    assert names == files == set(worker.REGISTERED)
    assert all(function.__name__ == name for name, function in worker.REGISTERED.items())


def test_every_url_has_a_permission_or_is_public() -> None:
    """PUBLIC is a short list that a person has read."""
    for route in ROUTES:
        assert isinstance(route.permission, Permission), route.path
        if route.permission is Permission.PUBLIC:
            assert route.path in PUBLIC_PATHS, f"{route.path} is public without standing in the list"


def test_every_config_key_stands_with_a_comment_in_the_example() -> None:
    """config.example.toml holds every key, each explained, and loads as it is."""
    text = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    for section, kind in get_type_hints(config.Settings).items():
        assert set(document[section]) == {f.name for f in fields(kind)}, section
    config.parse(document, {})
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if re.match(r"^\w+ = ", line):
            above = lines[number - 1]
            assert above.startswith("#") or re.match(r"^\w+ = ", above), f"no comment above: {line}"


def message_files() -> list[Path]:
    folder = render.TEMPLATES / "messages" / "vi"
    return [p for p in sorted(folder.rglob("*.txt")) if not p.name.startswith("_")]


def test_every_message_text_is_used() -> None:
    """No text lies about that nothing says, and nothing says what does not exist."""
    code = "\n".join(p.read_text(encoding="utf-8") for p in sources())
    for path in message_files():
        name = path.stem
        assert re.search(rf'["\'/]{name}["\']', code), f"{path.name} is said by nobody"
    for name in re.findall(r'(?:turn\.say\(|bot_says\([^"]*?)"(\w+)"', code):
        assert (render.TEMPLATES / "messages" / "vi" / "citizen" / f"{name}.txt").exists(), name


class Anything(list[object]):
    """Stand in for any value a template may ask for."""

    def __getattr__(self, name: str) -> object:
        return 1 if not name.startswith("__") else super().__getattribute__(name)


@pytest.mark.parametrize("path", message_files(), ids=lambda p: p.stem)
def test_every_message_text_compiles_and_is_short(path: Path) -> None:
    """Each text compiles, and its fixed words stay within what fits a chat bubble."""
    environment = render.environment()
    tree = environment.parse(path.read_text(encoding="utf-8"))
    assert isinstance(tree, nodes.Template)
    words = re.sub(r"\{[%{].*?[%}]\}", "", path.read_text(encoding="utf-8")).split("\n---\n")[0]
    assert len(words) <= 480, f"{path.name}: {len(words)} characters"


def test_commit_stands_only_in_the_unit_of_work() -> None:
    """One request or one job is one transaction, committed at its edge."""
    allowed = {"bot/store/unit_of_work.py", "bot/intake.py"}
    for path in sources():
        if re.search(r"\.commit\(\)", path.read_text(encoding="utf-8")):
            assert path.relative_to(ROOT).as_posix() in allowed, path


def test_every_state_that_is_not_final_has_a_sweeper() -> None:
    """Whatever can be left half-done is found again by a periodic job."""
    swept = " ".join(job.sweeps for job in queue.JOBS if job.every)
    assert "inbox new" in swept
    assert "inbox handling" in swept
    for state in set(DeliveryState) - FINAL_STATES - {DeliveryState.SENT}:
        assert f"outbox {state.value}" in swept, state
    assert "case open" in swept
    assert set(CaseState) > OPEN_STATES
    assert "case answered" in swept
    for state in set(DeliveryState) - FINAL_STATES - {DeliveryState.SENT}:
        assert f"delivery {state.value}" in swept, state
    assert "broadcast running" in swept
    assert "conversation waiting" in swept
    assert "attachment pending" in swept
    assert "case event untold" in swept
    assert "card stale" in swept
    assert "desk draft waiting" in swept
    assert "follower import running" in swept
    assert "dossier notice due" in swept
    assert "dossier notice leaving" in swept


def test_names_say_what_they_hold() -> None:
    """No room is called after nothing."""
    for path in sources():
        assert path.stem not in FORBIDDEN_NAMES, path
        assert path.parent.name not in FORBIDDEN_NAMES, path


def test_every_module_opens_with_its_job() -> None:
    """The first line of each module says what it is for."""
    for path in sources(*SOURCE, "tests"):
        text = path.read_text(encoding="utf-8")
        if text.strip():
            assert ast.get_docstring(ast.parse(text)), f"{path} does not say what it is for"


def test_the_tree_in_architecture_is_the_tree_on_disk() -> None:
    """ARCHITECTURE.md names every module, and nothing that is not there."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    tree = text.split("<!-- tree -->")[1]
    named = set(re.findall(r"^\s*(?:├──|└──|│|\s)*\s*([\w./-]+\.py|[\w-]+/)", tree, flags=re.MULTILINE))
    on_disk = {p.name for room in SOURCE for p in (ROOT / room).rglob("*.py") if p.name != "__init__.py"}
    on_disk = {n for n in on_disk if not re.match(r"\d{4}_", n)}
    assert on_disk - named == set(), "not in ARCHITECTURE.md: python -m tests.setup.tree writes it"
    assert {n for n in named if n.endswith(".py")} - on_disk == set(), "only in ARCHITECTURE.md"


def test_no_marks_of_unfinished_work() -> None:
    """What is not done is an issue, not a comment."""
    for path in sources(*SOURCE, "tests"):
        if path.name == "test_house.py":
            continue
        found = re.search(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError", path.read_text(encoding="utf-8"))
        assert found is None, f"{path}: {found}"


def test_the_repository_names_no_machine_and_no_registry() -> None:
    """Locks and files can be used anywhere."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    pattern = re.compile(r"--(extra-)?index-url|\"resolved\": \"http|(?<![\w.])/(" + "ro" + "ot|wo" + "rk)/")
    for name in tracked:
        path = ROOT / name
        if path.suffix in {".png", ".jpg", ".woff2"} or not path.is_file():
            continue
        assert not pattern.search(path.read_text(encoding="utf-8", errors="replace")), name

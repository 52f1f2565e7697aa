"""Write the tree of ARCHITECTURE.md from what every module says of itself: python -m tests.setup.tree."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "ARCHITECTURE.md"
ROOMS = ("bot", "handlers", "jobs")
_MARK = "<!-- tree -->"
_FOLDER = re.compile(r"^(\s*)([\w./-]+)/(?:  (.*))?$")


def said_of(path: Path) -> str:
    """Return the first line of a module's docstring, without its full stop; "" where there is no such file."""
    if not path.exists():
        return ""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0].rstrip(".")


def lines(folder: Path, said: dict[str, str], depth: int = 0) -> Iterator[str]:
    """Yield the lines of a folder: its modules, then its folders; `said` has what was written of folders so far."""
    name = str(folder.relative_to(ROOT))
    words = said.get(name) or said_of(folder / "__init__.py")
    indent = "  " * depth
    yield f"{indent}{folder.name}/" + (f"  {words}" if words else "")
    for path in sorted(folder.glob("*.py")):
        if path.name != "__init__.py" and not re.match(r"\d{4}_", path.name):
            yield f"{indent}  {path.name}  {said_of(path)}"
    for path in sorted(p for p in folder.iterdir() if p.is_dir() and any(p.rglob("*.py"))):
        yield from lines(path, said, depth + 1)


def folders(tree: list[str]) -> dict[str, str]:
    """Return what a tree says of each folder, by its path from the root."""
    found: dict[str, str] = {}
    way: list[str] = []
    for line in tree:
        match = _FOLDER.match(line)
        if match:
            way = [*way[: len(match[1]) // 2], match[2]]
            found["/".join(way)] = match[3] or ""
    return found


def written(text: str) -> str:
    """Return ARCHITECTURE.md with its tree as it is on disk; what stands below the rooms' own lines stays."""
    before, tree, after = text.split(_MARK)
    old = tree.strip().strip("`").strip().split("\n")
    said = folders(old)
    rest = [line for line in old if line and not line.startswith(" ") and line.split("/")[0] not in ROOMS]
    new = [line for room in ROOMS for line in lines(ROOT / room, said)]
    return f"{before}{_MARK}\n```\n" + "\n".join([*new, *rest]) + f"\n```\n{_MARK}{after}"


def main() -> None:
    """Write the page."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()

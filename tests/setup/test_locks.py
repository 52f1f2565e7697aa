"""The locks pin everything with hashes, name no index, and fit pyproject.toml and each other."""

import json
import re
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
EVERYTHING = REPOSITORY / "requirements.lock"
SERVICE = REPOSITORY / "requirements-service.lock"
LOCKS = [
    *(EVERYTHING, SERVICE, REPOSITORY / "requirements-node.lock", REPOSITORY / "tests" / "setup" / "redis.lock"),
    REPOSITORY / "tests" / "fuzz" / "atheris.lock",
    *sorted((REPOSITORY / "tests" / "bench" / "peers" / "locks").glob("*.lock")),
]


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", lock.read_text(), re.MULTILINE))


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower() for requirement in requirements}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_pin_has_a_hash_and_no_address_stands_there(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"[a-z0-9._-]+==\S+( ; .*)? \\\n +--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    wanted = names(project["dependencies"])
    assert wanted <= pins(SERVICE).keys()
    assert wanted | names(project["optional-dependencies"]["dev"]) <= pins(EVERYTHING).keys()


def test_the_service_runs_with_the_versions_that_were_tested() -> None:
    assert pins(SERVICE).items() <= pins(EVERYTHING).items()


def test_the_npm_lock_has_integrity_hashes_and_no_addresses() -> None:
    packages = json.loads((REPOSITORY / "package-lock.json").read_text())["packages"]
    fetched = {path: package for path, package in packages.items() if path}
    assert fetched
    for package in fetched.values():
        assert package["integrity"].startswith("sha512-")
        assert "resolved" not in package


def test_the_npm_lock_fits_package_json() -> None:
    wanted = json.loads((REPOSITORY / "package.json").read_text())
    locked = json.loads((REPOSITORY / "package-lock.json").read_text())["packages"]
    for name, version in {**wanted["dependencies"], **wanted["devDependencies"]}.items():
        assert locked[f"node_modules/{name}"]["version"] == version

"""The console's third-party files are made from the locked packages."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from bot import assets

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(assets, "VENDOR", tmp_path / "vendor")
    return tmp_path / "vendor"


def test_every_served_file_is_made(vendor: Path) -> None:
    assets.copy_served_files()
    assert {path.name for path in vendor.iterdir()} == {*assets.SERVED.values(), "icons.svg"}
    assert all(path.stat().st_size > 1000 for path in vendor.iterdir())


def test_the_sprite_has_each_listed_icon_once_and_draws_something(vendor: Path) -> None:
    assets.copy_served_files()
    symbols = list(ET.parse(vendor / "icons.svg").getroot())
    listed = [line for line in assets.ICON_NAMES.read_text().splitlines() if line and not line.startswith("#")]
    assert [symbol.attrib["id"] for symbol in symbols] == listed
    assert len(set(listed)) == len(listed)
    assert all(len(symbol) > 0 and symbol.attrib["viewBox"] == "0 0 24 24" for symbol in symbols)


def test_an_outline_is_stroked_and_a_filled_icon_is_filled() -> None:
    outline, filled = ET.fromstring(assets.icon_sprite(["# stars", "", "star", "star-filled"]))
    assert (outline.attrib["fill"], outline.attrib["stroke"]) == ("none", "currentColor")
    assert filled.attrib["fill"] == "currentColor"
    assert outline.find(f"{SVG}path") is not None


def test_an_icon_that_does_not_exist_is_named() -> None:
    with pytest.raises(assets.AssetError, match=r"outline/loudspeaker-of-gold\.svg is missing"):
        assets.icon_sprite(["loudspeaker-of-gold"])


def test_fetched_packages_are_not_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "_run", lambda *_: pytest.fail("npm was started"))
    assets.fetch_packages()


def test_another_lock_is_fetched_with_the_machines_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(assets, "FETCHED", tmp_path / "lock.json")
    monkeypatch.setattr(assets, "find_node", lambda: ("/opt/node/bin/node", ["npm"]))
    monkeypatch.setattr(assets, "_run", lambda command, *_: started.append(command))
    assets.fetch_packages()
    assert started == [["npm", "ci"]]
    assert assets.FETCHED.read_bytes() == assets.PACKAGE_LOCK.read_bytes()


@pytest.mark.parametrize(
    ("version", "usable"), [("v18.0.0", True), ("v24.19.0", True), ("v16.20.2", False), ("", False)]
)
def test_an_old_node_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, *, usable: bool
) -> None:
    for program in ("node", "npm"):
        (tmp_path / program).write_text(f"#!/bin/sh\necho {version}\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (assets.find_node() is not None) is usable


def test_a_failed_command_is_told_in_plain_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "npm").write_text("#!/bin/sh\necho 'npm error code ECONNREFUSED' >&2\nexit 1\n")
    (tmp_path / "npm").chmod(0o755)
    monkeypatch.setattr(assets, "FETCHED", tmp_path / "lock.json")
    monkeypatch.setattr(assets, "find_node", lambda: ("node", [str(tmp_path / "npm")]))
    with pytest.raises(assets.AssetError, match=r"(?s)network or a proxy.*npm error code ECONNREFUSED"):
        assets.fetch_packages()

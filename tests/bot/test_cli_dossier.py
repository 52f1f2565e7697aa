"""`loa dossier import`, as somebody types it: what it shows, what it asks, how it exits."""

import io
from pathlib import Path

import pytest

from bot.__main__ import main
from tests.jobs.test_import_dossiers import HEADER, export, row

KEY = "k" * 40
UNITS = "code,name,kind,parent,valid_from\n10183,UBND xã Thanh Oai,commune,,2025-07-01\n"


@pytest.fixture
def config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(
        f'[database]\nurl = "sqlite:///{tmp_path}/x.db"\n[security]\nsecret_key = "{KEY}"\nspool = "{tmp_path}/spool"\n'
        f'[files]\nurl = "file://{tmp_path}/files"\n'
    )
    (tmp_path / "units.csv").write_text(UNITS, encoding="utf-8")
    assert run(path, "migrate") == 0
    assert run(path, "unit", "import", str(tmp_path / "units.csv")) == 0
    capsys.readouterr()
    return path


def run(config: Path, *arguments: str) -> int:
    return main([*arguments, "--config", str(config)])


def test_an_export_is_shown_asked_about_applied_and_again_changes_nothing(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "xuat.xlsx"
    file.write_bytes(export([row(1, "Đang xử lý"), row(2, "Đang đi dạo")]))
    assert run(config, "dossier", "import", str(file), "--dry-run") == 0
    shown = capsys.readouterr()
    assert "2 rows, 1 new" in shown.out
    assert "nothing has been changed" in shown.out
    assert "statuses that nobody knows" in shown.err
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run(config, "dossier", "import", str(file), "--unit", "10183") == 1
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert run(config, "dossier", "import", str(file)) == 0
    assert "applied: 1 new" in capsys.readouterr().out
    assert run(config, "dossier", "import", str(file)) == 0
    assert "nothing has changed" in capsys.readouterr().out


def test_what_cannot_be_imported_is_refused_with_the_reason(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "xuat.csv"
    text = "\n".join(",".join(map(str, line)) for line in ([HEADER[1:], row(1, "Đang xử lý")[1:]]))
    file.write_text(text, encoding="utf-8")
    assert run(config, "dossier", "import", str(file), "--yes") == 1
    assert "no column of dossier codes" in capsys.readouterr().err
    assert run(config, "dossier", "import", str(file), "--unit", "99999") == 2
    assert run(config, "dossier", "import", str(tmp_path / "none.csv")) == 2


def test_yes_applies_an_export_of_unknown_units_too(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "xuat.csv"
    lines = [[*HEADER, "Mã đơn vị"], [*row(1, "Đang xử lý"), "99999"]]
    file.write_bytes("\r\n".join(";".join(map(str, line)) for line in lines).encode("utf-8-sig"))
    assert run(config, "dossier", "import", str(file), "--yes") == 0

"""The commands of `loa`, as somebody types them: what they say and how they exit."""

import io
from pathlib import Path

import pytest
from openpyxl import Workbook

from bot.__main__ import main

KEY = "k" * 40
UNITS = """code,name,kind,parent,valid_from,valid_to,aliases,successors
10126.vp,Văn phòng,division,10126,2025-07-01,,,
10126,Xã Bình Minh,commune,01,2025-07-01,,Bích Hòa;Cao Viên,
01,Thành phố Hà Nội,province,,2025-07-01,,,
10126,Xã Bích Hòa,commune,01,2008-08-01,2025-06-30,,10126
"""


@pytest.fixture
def config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(
        f'[database]\nurl = "sqlite:///{tmp_path}/x.db"\n[security]\nsecret_key = "{KEY}"\nspool = "{tmp_path}/spool"\n'
        f'[files]\nurl = "file://{tmp_path}/files"\n'
    )
    assert main(["migrate", "--config", str(path)]) == 0
    assert "database schema: 0001" in capsys.readouterr().out
    return path


def run(config: Path, *arguments: str) -> int:
    return main([*arguments, "--config", str(config)])


def test_units_come_in_whatever_their_order_and_again_without_change(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "units.csv"
    file.write_text(UNITS, encoding="utf-8-sig")
    assert run(config, "unit", "import", str(file)) == 0
    assert "4 added, 0 changed, 0 as before, 0 bad" in capsys.readouterr().out
    assert run(config, "unit", "import", str(file)) == 0
    assert "0 added, 0 changed, 4 as before" in capsys.readouterr().out


def test_a_workbook_is_read_too(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book = Workbook()
    for line in UNITS.strip().splitlines():
        book.active.append(line.split(","))  # type: ignore[union-attr] # a new workbook has a sheet
    book.save(tmp_path / "units.xlsx")
    assert run(config, "unit", "import", str(tmp_path / "units.xlsx")) == 0
    assert "4 added" in capsys.readouterr().out


def test_bad_rows_are_named_and_good_ones_go_in(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "units.csv"
    file.write_text(UNITS + "99,,x,01,2025-07-01,,,\n98,Lạc,x,77,2025-07-01,,,\n97,Ngày,x,01,hôm qua,,,\n")
    assert run(config, "unit", "import", str(file)) == 1
    told = capsys.readouterr()
    assert "4 added" in told.out
    assert "row 6: name is empty" in told.err
    assert "row 7: no unit has the code of the parent: '77'" in told.err
    assert "row 8: valid_from is no date (2025-07-01 or 01/07/2025): 'hôm qua'" in told.err


@pytest.mark.parametrize("content", ["", "code,name\n1,x\n", "code,code,name,kind,parent,valid_from\n"])
def test_a_table_of_the_wrong_shape_is_misuse(config: Path, tmp_path: Path, content: str) -> None:
    file = tmp_path / "units.csv"
    file.write_text(content)
    assert run(config, "unit", "import", str(file)) == 2


def test_a_person_and_an_account_are_added(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "units.csv"
    file.write_text(UNITS)
    run(config, "unit", "import", str(file))
    add = ("staff", "add", "can-bo@xa.example", "--name", "Cán bộ", "--role", "official", "--unit", "10126")
    monkeypatch.setattr("sys.stdin", io.StringIO("mat-khau-du-dai-2026\n"))
    assert run(config, *add) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("ngan\n"))
    assert run(config, "staff", "add", "b@xa.example", "--name", "B", "--role", "admin", "--unit", "10126") == 2
    assert "password" in capsys.readouterr().err
    connect = ("account", "add", "zalo", "--oa-id", "123", "--name", "OA", "--type", "state", "--secret-key", "s")
    tokens = ("--access-token", "a", "--refresh-token", "r")
    assert run(config, *connect, *tokens, "--unit", "10126") == 0
    assert "connected OA (123)" in capsys.readouterr().out
    assert run(config, *connect, *tokens, "--unit", "404") == 2
    assert "unknown unit" in capsys.readouterr().err
    assert run(config, *connect, "--unit", "10126") == 2


def test_check_says_what_is_well(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "check") == 0
    out = capsys.readouterr().out
    for line in ("configuration: well", "database: well", "queue: well", "files: well", "accounts: none yet"):
        assert line in out


@pytest.mark.parametrize("command", ["serve", "web", "worker", "migrate", "check", "demo", "staff", "unit", "account"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert "--config" in capsys.readouterr().out


def test_web_and_worker_apart_need_redis(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "worker") == 2
    assert "several processes need Redis" in capsys.readouterr().err

"""The commands of `loa`, as somebody types them: what they say and how they exit."""

import asyncio
import io
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import Workbook

from bot.__main__ import main
from tests.simulator.simulator import Simulator

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
    assert "database schema: 00" in capsys.readouterr().out
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


def test_procedures_come_in_and_what_is_wrong_is_told_by_line(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "procedures.csv"
    file.write_text("code,name,field,days\n1.900001,Nuôi cá,Thủy sản,5\n1.900002,Khai thuế,Thuế,1\nx,Sai,,\n")
    chosen = ("procedure", "import", str(file), "--without-field", "thue", "--without-field", "Hải quan")
    assert run(config, *chosen, "--dry-run") == 1
    told = capsys.readouterr()
    assert "1 would be added, 0 would be changed, 0 as before, 1 left out, 0 kept as edited, 1 bad" in told.out
    assert "line 4: no code of a procedure (1.000253): 'x'" in told.err
    assert "no procedure of the file is of the field 'Hải quan'" in told.err
    assert run(config, *chosen) == 1
    assert "1 added, 0 changed" in capsys.readouterr().out
    file.write_text("code,name,field,days\n1.900001,Nuôi cá,Thủy sản,5\n1.900002,Khai thuế,Thuế,1\n")
    assert run(config, *chosen) == 0
    assert "0 added, 0 changed, 1 as before" in capsys.readouterr().out
    assert run(config, "procedure", "import", str(tmp_path / "none.csv")) == 2
    file.write_text("code\n")
    assert run(config, "procedure", "import", str(file)) == 2


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


def test_a_key_of_another_system_is_made_listed_and_revoked(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "units.csv"
    file.write_text(UNITS)
    run(config, "unit", "import", str(file))
    capsys.readouterr()
    assert run(config, "api-key", "add", "--unit", "10126", "--name", "Một cửa") == 0
    key = capsys.readouterr().out.strip()
    assert re.fullmatch(r"loa_[\w-]{43}", key)
    assert run(config, "api-key", "add", "--unit", "10126", "--name", "Một cửa") == 2
    assert "name taken" in capsys.readouterr().err
    assert run(config, "api-key", "add", "--unit", "404", "--name", "x") == 2
    assert "unknown unit" in capsys.readouterr().err
    assert run(config, "api-key", "list") == 0
    listed = capsys.readouterr().out
    assert f"…{key[-4:]}  10126  Một cửa  (never used)" in listed
    assert key not in listed
    assert run(config, "api-key", "revoke", listed.split()[0]) == 0
    assert "revoked Một cửa" in capsys.readouterr().out
    run(config, "api-key", "list")
    assert "(revoked)" in capsys.readouterr().out
    assert run(config, "api-key", "revoke", "nothing") == 1


def test_an_import_of_followers_is_begun_once(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "units.csv"
    file.write_text(UNITS)
    run(config, "unit", "import", str(file))
    connect = ("account", "add", "zalo", "--oa-id", "123", "--name", "OA xã", "--secret-key", "s")
    run(config, *connect, "--access-token", "a", "--refresh-token", "r", "--unit", "10126")
    capsys.readouterr()
    assert run(config, "account", "followers", "123") == 2
    assert "[zalo]: not configured" in capsys.readouterr().err
    with config.open("a") as settings:
        settings.write('[zalo]\napp_id = "1111222233334444555"\napp_secret = "demo-app-secret"\n')
    assert run(config, "account", "followers", "404") == 1
    assert "no Official Account 404" in capsys.readouterr().err
    assert run(config, "account", "followers", "123") == 0
    assert "importing who follows OA xã (123)" in capsys.readouterr().out
    assert run(config, "account", "followers", "123") == 1
    assert "being imported already" in capsys.readouterr().err


BOT_TOKEN = "7000000001:cli-not-a-real-token"


@pytest.fixture
def telegram(config: Path) -> Iterator[Simulator]:
    """Run the fake Telegram beside the commands, each of which has a loop of its own."""
    started, ended, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()
    found: list[Simulator] = []

    async def serve() -> None:
        async with Simulator() as simulator:
            await simulator.add_bot(BOT_TOKEN, "UBND xã Bình Minh", username="binhminh_bot")
            found.append(simulator)
            started.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
    thread.start()
    assert started.wait(20)
    with config.open("a") as file:
        file.write(f'[telegram]\napi_url = "{found[0].url}"\n')
    yield found[0]
    loop.call_soon_threadsafe(ended.set)
    thread.join(20)
    loop.close()


def test_a_bot_is_added_by_its_token(
    config: Path,
    telegram: Simulator,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "units.csv").write_text(UNITS)
    run(config, "unit", "import", str(tmp_path / "units.csv"))
    add = ("account", "add", "telegram", "--token-stdin", "--name", "Xã Bình Minh", "--unit", "10126")

    def typed(token: str, *more: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{token}\n"))
        capsys.readouterr()
        code = run(config, *add, *more)
        said = capsys.readouterr()
        assert "not-a-real-token" not in said.out + said.err
        return code, said.out, said.err

    code, _, error = typed("7000000001:wrong")
    assert (code, error.count("\n")) == (1, 1)
    assert "the token is not valid" in error
    assert typed("no token")[0] == 1
    assert typed("")[0] == 2
    assert typed(BOT_TOKEN, "--unit", "404")[0] == 2
    code, out, _ = typed(BOT_TOKEN)
    assert code == 0
    assert "connected Xã Bình Minh (@binhminh_bot, 7000000001)" in out
    assert "updates come to http://127.0.0.1:8080/webhooks/telegram/7000000001" in out
    assert telegram.telegram.world.bot(7000000001).webhook_url.endswith("/webhooks/telegram/7000000001")
    assert len(telegram.telegram.world.bot(7000000001).secret_token) >= 32
    assert typed(BOT_TOKEN, "--polling")[0] == 0
    assert run(config, "check") == 0
    assert "account Xã Bình Minh: well (UBND xã Bình Minh)" in capsys.readouterr().out
    assert BOT_TOKEN.encode() not in (tmp_path / "x.db").read_bytes()


def test_a_bot_whose_webhook_telegram_refuses_is_added_and_that_is_said(
    config: Path,
    telegram: Simulator,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert telegram.url
    (tmp_path / "units.csv").write_text(UNITS)
    run(config, "unit", "import", str(tmp_path / "units.csv"))
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{BOT_TOKEN}\n"))
    monkeypatch.setenv("LOA__SERVER__PUBLIC_URL", "http://xa.example")
    add = ("account", "add", "telegram", "--token-stdin", "--name", "Xã Bình Minh", "--unit", "10126")
    assert run(config, *add) == 1
    said = capsys.readouterr()
    assert "connected Xã Bình Minh" in said.out
    assert "An HTTPS URL must be provided" in said.err
    assert "--polling" in said.err


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

"""Configuration: what is allowed, and every mistake at once."""

from pathlib import Path

import pytest

from bot.__main__ import main
from bot.config import load, parse
from bot.errors import ConfigError

KEY = "k" * 40


def test_the_example_loads_as_it_is() -> None:
    settings = load(Path(__file__).parents[2] / "config.example.toml", {})
    assert settings.queue.url == "embedded"
    assert settings.zalo.api_url == "https://openapi.zalo.me"


def test_environment_variables_override_the_file() -> None:
    settings = parse(
        {"server": {"port": 1}},
        {
            "LOA__SERVER__PORT": "9000",
            "LOA__SECURITY__SECRET_KEY": KEY,
            "LOA__SERVER__TRUSTED_PROXIES": "10.0.0.1, ::1",
        },
    )
    assert settings.server.port == 9000
    assert settings.server.trusted_proxies == ("10.0.0.1", "::1")


@pytest.mark.parametrize(("text", "value"), [("true", True), (" False ", False)])
def test_a_switch_is_on_or_off(text: str, *, value: bool) -> None:
    environ = {"LOA__SECURITY__SECRET_KEY": KEY, "LOA__ZALO__HASH_PHONE": text}
    assert parse({}, environ).zalo.hash_phone is value
    assert parse({"zalo": {"hash_phone": value}}, {"LOA__SECURITY__SECRET_KEY": KEY}).zalo.hash_phone is value


@pytest.mark.parametrize("wrong", ["yes", 1, 0])
def test_anything_else_is_no_switch(wrong: object) -> None:
    with pytest.raises(ConfigError, match="hash_phone: must be true or false"):
        parse({"zalo": {"hash_phone": wrong}, "security": {"secret_key": KEY}}, {})


def test_all_mistakes_are_reported_together() -> None:
    document = {
        "server": {"port": "80", "public_url": "ftp://x", "prot": 1},
        "sever": {},
        "database": {"url": "mysql://x"},
        "queue": {"url": "rabbit"},
        "conversation": {"quiet_seconds": 500},
        "log": {"level": "LOUD"},
        "zalo": {"app_id": "abc"},
    }
    with pytest.raises(ConfigError) as caught:
        parse(document, {"LOA__NO__SUCH": "1"})
    text = "\n".join(caught.value.problems)
    for expected in (
        "[sever]: unknown section",
        "[server] prot: unknown key",
        "[server] port: must be a whole number",
        "[server] public_url: must begin with http or https",
        "[database] url: must begin with sqlite or postgresql",
        "[queue] url",
        "[conversation] quiet_seconds: must be from 0 to 60",
        "[log] level: must be one of",
        "[security] secret_key: 0 bytes",
        "[zalo] app_id: digits only",
        "[zalo] app_secret: needed",
        "LOA__NO__SUCH",
    ):
        assert expected in text


def test_wrong_configuration_ends_with_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[server]\nport = 0\n")
    assert main(["migrate", "--config", str(path)]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert all(line.startswith("loa: ") for line in errors)
    assert len(errors) == 2


@pytest.mark.parametrize("content", ["not toml at all [", "\x00\xff"])
def test_an_unreadable_file_is_said_in_one_line(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content.encode("latin-1"))
    assert main(["check", "--config", str(path)]) == 2
    assert "not readable as TOML" in capsys.readouterr().err


def test_a_missing_file_names_the_example(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--config", str(tmp_path / "none.toml")]) == 2
    assert "config.example.toml" in capsys.readouterr().err


def test_serve_refuses_an_old_schema_with_the_command_to_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        f'[database]\nurl = "sqlite:///{tmp_path}/x.db"\n[security]\nsecret_key = "{KEY}"\nspool = "{tmp_path}/spool"\n'
        f'[files]\nurl = "file://{tmp_path}/files"\n'
    )
    assert main(["serve", "--config", str(path)]) == 1
    assert "loa migrate" in capsys.readouterr().err


def test_an_unknown_command_is_misuse() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["fly"])
    assert caught.value.code == 2


@pytest.mark.parametrize("url", ["https://watch.example/ping", "ftp://watch.example/{job}"])
def test_the_address_of_a_watcher_names_the_job(url: str) -> None:
    with pytest.raises(ConfigError, match="ping_url"):
        parse({"health": {"ping_url": url}, "security": {"secret_key": KEY}}, {})

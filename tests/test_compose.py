"""compose.yaml, nginx.conf and the Dockerfile fit each other and the service, as far as their form can tell."""

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bot.__main__ import main
from bot.config import parse

ROOT = Path(__file__).resolve().parent.parent
NGINX = ROOT / "docs" / "operate" / "nginx.conf"
RULES = ROOT / "docs" / "operate" / "alerts.yaml"
Lines = list[tuple[int, str]]
LOA = ("migrate", "web-1", "web-2", "worker-1", "worker-2")


class Reader:
    """Read the part of YAML that our files keep to: maps, lists, plain and quoted words, anchors and merges.

    No YAML parser stands in the lock; what this one does not know it refuses.
    """

    def __init__(self, text: str) -> None:
        self.anchors: dict[str, Any] = {}
        self.lines: Lines = []
        for raw in text.splitlines():
            line = re.sub(r"\s#[^\"']*$", "", raw).rstrip()
            if line.strip() and not line.strip().startswith("#"):
                assert "\t" not in line, f"tab in {raw!r}"
                self.lines.append((len(line) - len(line.lstrip()), line.strip()))

    def read(self) -> Any:
        value, rest = self._block(self.lines)
        assert not rest, f"out of place: {rest[0]}"
        return value

    def _block(self, lines: Lines) -> tuple[Any, Lines]:
        indent, first = lines[0]
        return self._list(lines, indent) if first.startswith("- ") else self._map(lines, indent)

    def _map(self, lines: Lines, indent: int) -> tuple[dict[str, Any], Lines]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while lines and lines[0][0] == indent:
            match = re.fullmatch(r'("[^"]*"|[\w.<-]+):(?: (.*))?', lines[0][1])
            assert match, f"no key: {lines[0][1]}"
            key, text = match[1].strip('"'), match[2] or ""
            assert key not in found, f"twice: {key}"
            value, lines = self._value(text, lines[1:], indent)
            if key == "<<":
                merged |= value
            else:
                found[key] = value
        assert not lines or lines[0][0] < indent, f"badly indented: {lines[0]}"
        return merged | found, lines

    def _list(self, lines: Lines, indent: int) -> tuple[list[Any], Lines]:
        found = []
        while lines and lines[0][0] == indent and lines[0][1].startswith("- "):
            text, inner = lines[0][1][2:], indent + 2
            if re.match(r"[\w-]+:(\s|$)", text):
                value, lines = self._map([(inner, text), *lines[1:]], inner)
            else:
                value, lines = self._value(text, lines[1:], indent)
            found.append(value)
        return found, lines

    def _value(self, text: str, lines: Lines, indent: int) -> tuple[Any, Lines]:
        anchor = re.match(r"&(\w+)\s*", text)
        if anchor:
            value, lines = self._value(text[anchor.end() :], lines, indent)
            self.anchors[anchor[1]] = value
            return value, lines
        if text in {"|", ">", ">-", "|-"}:
            words = []
            while lines and lines[0][0] > indent:
                words.append(lines[0][1])
                lines = lines[1:]
            return " ".join(words), lines
        if text:
            return self._scalar(text), lines
        if lines and (lines[0][0] > indent or (lines[0][0] == indent and lines[0][1].startswith("- "))):
            return self._block(lines)
        return None, lines

    def _scalar(self, text: str) -> Any:
        if text.startswith("*"):
            return self.anchors[text[1:]]
        if text[0] in '["{':
            return json.loads(text)
        assert not re.search(r": |^[&!%@`'|>]", text), f"needs quotes: {text}"
        return {"true": True, "false": False}.get(text, int(text) if text.isdigit() else text)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found = Reader((ROOT / "compose.yaml").read_text(encoding="utf-8")).read()
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    found = compose["services"]
    assert isinstance(found, dict)
    return found


def test_everything_is_there_once_or_twice(compose: dict[str, Any], services: dict[str, Any]) -> None:
    assert set(services) == {*LOA, "postgres", "redis", "nginx"}
    known = {"name", "x-loa", "services", "volumes", "networks"}
    assert set(compose) == known


@pytest.mark.parametrize("name", [*LOA, "postgres", "redis", "nginx"])
def test_every_service_is_watched_bounded_and_unprivileged(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["read_only"] is True
    assert "no-new-privileges:true" in service["security_opt"]
    assert service.get("privileged") is None
    check = service["healthcheck"]
    assert name == "migrate" or check["test"][0] == "CMD"
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
    unprivileged = name in LOA or "unprivileged" in service["image"] or service.get("user") not in {None, "root"}
    assert unprivileged
    if name != "nginx":
        assert "ports" not in service, "only nginx is reached from outside"


def test_what_is_needed_first_is_waited_for(services: dict[str, Any]) -> None:
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in LOA[1:]:
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert services[name]["depends_on"]["redis"]["condition"] == "service_healthy"
        assert services[name]["stop_grace_period"] == "35s"
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)


@pytest.mark.parametrize("name", LOA)
def test_the_commands_and_settings_are_those_of_the_service(services: dict[str, Any], name: str) -> None:
    service = services[name]
    command, *rest = service["command"]
    assert command == name.split("-", maxsplit=1)[0]
    assert rest == ["--config", "config.example.toml"]
    given = {key: str(value) for key, value in service["environment"].items()}
    given["LOA__SECURITY__SECRET_KEY"] = "k" * 40
    settings = parse(tomllib.loads((ROOT / "config.example.toml").read_text(encoding="utf-8")), given)
    assert urlsplit(settings.queue.url).hostname in services
    assert urlsplit(settings.database.url.replace("${POSTGRES_PASSWORD:?set it in .env}", "x")).hostname in services
    assert settings.health.port == settings.server.port == 8080
    for key in ("LOA__SECURITY__SECRET_KEY", "LOA__DATABASE__URL"):
        assert ":?" in service["environment"][key], "a secret that is missing must stop the start"


def test_what_must_last_lies_on_volumes(compose: dict[str, Any], services: dict[str, Any]) -> None:
    for service in services.values():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            assert (ROOT / source).is_file() if source.startswith("./") else source in compose["volumes"], mount
    for name in LOA:
        places = [mount.split(":")[1] for mount in services[name]["volumes"]]
        environment = services[name]["environment"]
        assert any(environment["LOA__SECURITY__SPOOL"].startswith(place) for place in places)
        assert any(environment["LOA__FILES__URL"].removeprefix("file://").startswith(place) for place in places)


def test_redis_refuses_rather_than_forgets(services: dict[str, Any]) -> None:
    command = services["redis"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
    assert "--maxmemory" in command


def test_postgres_is_new_enough_and_keeps_its_promises(services: dict[str, Any]) -> None:
    assert int(services["postgres"]["image"].split(":")[1]) >= 16
    assert not re.search(r"fsync=off|synchronous_commit=off|full_page_writes=off", str(services["postgres"]["command"]))


def test_only_the_proxy_is_believed(compose: dict[str, Any], services: dict[str, Any]) -> None:
    address = services["nginx"]["networks"]["default"]["ipv4_address"]
    assert services["web-1"]["environment"]["LOA__SERVER__TRUSTED_PROXIES"] == address
    [subnet] = compose["networks"]["default"]["ipam"]["config"]
    assert subnet["subnet"].split(".")[:3] == address.split(".")[:3]


def test_the_image_is_what_compose_expects() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    last = text.split("\nFROM ")[-1]
    assert re.search(r"^USER loa$", last, re.MULTILINE)
    assert re.search(r"^VOLUME /var/lib/loa$", last, re.MULTILINE)
    assert re.search(r"^WORKDIR /srv/loa$", last, re.MULTILINE)
    assert "127.0.0.1:8080/healthz" in last
    assert "COPY config.example.toml ./" in last
    entry = re.search(r"^ENTRYPOINT (.*)$", last, re.MULTILINE)
    assert entry
    assert json.loads(entry[1]) == ["python", "-m", "bot"]
    for room in ("bot", "handlers", "jobs", "templates"):
        assert f"COPY {room} {room}" in last


@pytest.mark.parametrize("command", ["web", "worker", "migrate", "reconcile", "check"])
def test_the_commands_exist(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert "--config" in capsys.readouterr().out


def directives(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Give every directive of nginx's configuration with the blocks it stands in; refuse what is not balanced."""
    path: list[str] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split("#")[0].strip() if not raw.strip().startswith("#") else ""
        if line.endswith("{"):
            path.append(line[:-1].strip())
        elif line == "}":
            assert path, f"line {number}: closes nothing"
            path.pop()
        elif line:
            assert line.endswith(";"), f"line {number}: no semicolon: {line}"
            yield tuple(path), line[:-1]
    assert not path, f"not closed: {path}"


def test_nginx_leads_to_every_web_process(services: dict[str, Any]) -> None:
    found = list(directives(NGINX.read_text(encoding="utf-8")))
    servers = {
        line.split()[1].split(":")[0] for path, line in found if path[-1:] == ("upstream web",) and "server " in line
    }
    assert servers == {name for name in services if name.startswith("web-")}
    inside = {path[-1]: [line for at, line in found if at == path] for path, _ in found if path}
    assert "proxy_buffering off" in inside["location /events"]
    assert any("non_idempotent" in line for line in inside["location /webhooks/"])
    assert not any("non_idempotent" in line for line in inside["location /"])
    assert "deny all" in inside["location ~ ^/(metrics|readyz)$"]
    assert "listen 8080" in inside["server"]
    uploads = tomllib.loads((ROOT / "config.example.toml").read_text(encoding="utf-8"))["files"]["max_file_mb"]
    size = next(line for line in inside["server"] if line.startswith("client_max_body_size"))
    assert int(re.sub(r"\D", "", size)) > uploads
    for block, lines in inside.items():
        if block.startswith("location"):
            assert lines[-1] == "proxy_pass http://web", block


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_nginx_itself_takes_the_configuration(tmp_path: Path) -> None:
    text = NGINX.read_text(encoding="utf-8").replace("web-1:", "127.0.0.1:").replace("web-2:", "127.0.0.1:1")
    file = tmp_path / "nginx.conf"
    file.write_text(text)
    done = subprocess.run(["nginx", "-t", "-c", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_alerts_name_metrics_that_exist() -> None:
    from bot import metrics

    rules = Reader(RULES.read_text(encoding="utf-8")).read()
    exposed = set(re.findall(r"^# TYPE (\w+) ", metrics.exposition().decode(), re.MULTILINE))
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in alerts}) == len(alerts) > 5
    for rule in alerts:
        assert rule["annotations"]["summary"]
        for name in re.findall(r"\bloa_\w+", rule["expr"]):
            assert name in exposed or re.sub(r"_(bucket|sum|count)$", "", name) in exposed, name


@pytest.mark.parametrize("text", ["a:\n  b: 1\n c: 2", "a: 1\na: 2", "a: *none", "a: [1", "a: b: c", "- x\ny: 1"])
def test_the_reader_refuses_what_is_no_yaml(text: str) -> None:
    with pytest.raises((AssertionError, KeyError, ValueError)):
        Reader(text).read()

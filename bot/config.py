"""Read config.toml into typed, frozen settings; report every mistake at once, each with what is allowed."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from bot.errors import ConfigError

MIN_SECRET_BYTES = 32
MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where the service listens and how it is called from outside."""

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = "http://127.0.0.1:8080"
    trusted_proxies: tuple[str, ...] = ()
    zalo_verifier: str = ""


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where the truth lies."""

    url: str = "sqlite:///var/loa.db"
    pool_size: int = 20


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """What wakes the workers."""

    url: str = "embedded"


@dataclass(frozen=True, slots=True)
class SecuritySettings:
    """Keys and how long things last; `secret_key` encrypts tokens and personal data."""

    secret_key: str = ""
    session_hours: int = 12
    idle_minutes: int = 120
    spool: str = "var/spool"


@dataclass(frozen=True, slots=True)
class ZaloSettings:
    """The Zalo app that all Official Accounts have granted; empty `app_id` switches Zalo off."""

    app_id: str = ""
    app_secret: str = ""
    oa_secret_key: str = ""
    api_url: str = "https://openapi.zalo.me"
    template_url: str = "https://business.openapi.zalo.me"
    oauth_url: str = "https://oauth.zaloapp.com"
    media_hosts: tuple[str, ...] = ("zdn.vn", "zalo.me", "zaloapp.com", "zadn.vn")
    app_per_minute: int = 4000
    oa_per_minute: int = 100
    template_per_minute: int = 2000
    hash_phone: bool = False


@dataclass(frozen=True, slots=True)
class TelegramSettings:
    """Where Telegram's Bot API is; empty `api_url` switches Telegram off."""

    api_url: str = "https://api.telegram.org"


@dataclass(frozen=True, slots=True)
class FilesSettings:
    """Where pictures and files are kept and how large they may be."""

    url: str = "file:///var/lib/loa/files"
    max_image_mb: int = 10
    max_file_mb: int = 20


@dataclass(frozen=True, slots=True)
class ConversationSettings:
    """How patient the bot is; seconds, minutes, hours and days as the names say."""

    quiet_seconds: float = 3.0
    draft_hours: int = 24
    live_minutes: int = 30
    undo_seconds: int = 10
    close_days: int = 7


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """How long each kind of data is kept, in days; 0 keeps it."""

    inbox_days: int = 90
    audit_days: int = 730
    session_days: int = 30
    recipient_list_days: int = 90


@dataclass(frozen=True, slots=True)
class DossiersSettings:
    """Where exports of the one-stop system are put for us: `folder` has a folder for each unit, named by its code."""

    folder: str = ""


@dataclass(frozen=True, slots=True)
class LogSettings:
    """How much is written to the log and in which form (text | json)."""

    level: str = "INFO"
    form: str = "text"


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """How the service is watched from outside; `port` is for processes without web, 0 is none."""

    ping_url: str = ""
    port: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that config.toml says."""

    server: ServerSettings = field(default_factory=ServerSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    queue: QueueSettings = field(default_factory=QueueSettings)
    security: SecuritySettings = field(default_factory=SecuritySettings)
    zalo: ZaloSettings = field(default_factory=ZaloSettings)
    telegram: TelegramSettings = field(default_factory=TelegramSettings)
    files: FilesSettings = field(default_factory=FilesSettings)
    conversation: ConversationSettings = field(default_factory=ConversationSettings)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    health: HealthSettings = field(default_factory=HealthSettings)
    dossiers: DossiersSettings = field(default_factory=DossiersSettings)
    log: LogSettings = field(default_factory=LogSettings)


_URLS: dict[tuple[str, str], tuple[str, ...]] = {
    ("server", "public_url"): ("http", "https"),
    ("zalo", "api_url"): ("http", "https"),
    ("zalo", "template_url"): ("http", "https"),
    ("zalo", "oauth_url"): ("http", "https"),
    ("telegram", "api_url"): ("http", "https"),
    ("database", "url"): ("sqlite", "postgresql"),
    ("queue", "url"): ("embedded", "redis", "rediss", "unix"),
    ("files", "url"): ("file", "s3"),
}
_MAY_BE_EMPTY = {("telegram", "api_url")}
_CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ("log", "level"): ("DEBUG", "INFO", "WARNING", "ERROR"),
    ("log", "form"): ("text", "json"),
}
_RANGES: dict[tuple[str, str], tuple[float, float]] = {
    ("server", "port"): (1, MAX_PORT),
    ("database", "pool_size"): (1, 200),
    ("security", "session_hours"): (1, 24 * 31),
    ("security", "idle_minutes"): (5, 24 * 60),
    ("zalo", "app_per_minute"): (0, 1_000_000),
    ("zalo", "oa_per_minute"): (0, 1_000_000),
    ("zalo", "template_per_minute"): (0, 1_000_000),
    ("files", "max_image_mb"): (1, 100),
    ("files", "max_file_mb"): (1, 500),
    ("conversation", "quiet_seconds"): (0, 60),
    ("conversation", "draft_hours"): (1, 24 * 7),
    ("conversation", "live_minutes"): (1, 24 * 60),
    ("conversation", "undo_seconds"): (0, 600),
    ("conversation", "close_days"): (1, 365),
    ("health", "port"): (0, MAX_PORT),
    ("privacy", "inbox_days"): (0, 36500),
    ("privacy", "audit_days"): (0, 36500),
    ("privacy", "session_days"): (0, 36500),
    ("privacy", "recipient_list_days"): (0, 36500),
}


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the file and `LOA__SECTION__KEY` overrides; raises ConfigError with all mistakes together."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError([f"{path}: no such file; copy config.example.toml and edit it"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: not readable as TOML: {error}"]) from error
    return parse(document, environ)


def parse(document: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """Turn a parsed document and overrides into settings; raises ConfigError with all mistakes together."""
    problems: list[str] = []
    kinds = get_type_hints(Settings)
    overrides = _overrides(environ, kinds, problems)
    problems += [f"[{name}]: unknown section; allowed: {', '.join(kinds)}" for name in document if name not in kinds]
    sections: dict[str, Any] = {}
    for name, kind in kinds.items():
        given = document.get(name, {})
        if not isinstance(given, Mapping):
            problems.append(f"[{name}]: must be a section with keys")
            given = {}
        sections[name] = _section(name, kind, given, overrides.get(name, {}), problems)
    settings = Settings(**sections)
    problems += _cross_check(settings)
    if problems:
        raise ConfigError(problems)
    return settings


def _overrides(environ: Mapping[str, str], kinds: Mapping[str, Any], problems: list[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for variable, text in environ.items():
        if not variable.startswith("LOA__"):
            continue
        section, _, key = variable.removeprefix("LOA__").lower().partition("__")
        if section not in kinds or key not in {f.name for f in fields(kinds[section])}:
            problems.append(f"{variable}: no such section and key")
        else:
            found.setdefault(section, {})[key] = text
    return found


def _section(name: str, kind: Any, given: Mapping[str, Any], overrides: Mapping[str, str], problems: list[str]) -> Any:
    hints = get_type_hints(kind)
    problems += [f"[{name}] {key}: unknown key; allowed: {', '.join(hints)}" for key in given if key not in hints]
    values: dict[str, Any] = {}
    for entry in fields(kind):
        assert entry.default is not MISSING
        raw: Any = given.get(entry.name, entry.default)
        if entry.name in overrides:
            raw = _from_text(overrides[entry.name], hints[entry.name])
        problem = _mistake(name, entry.name, raw, hints[entry.name])
        if problem:
            problems.append(f"[{name}] {entry.name}: {problem}")
            raw = entry.default
        values[entry.name] = tuple(raw) if isinstance(raw, list) else raw
    return kind(**values)


def _from_text(text: str, kind: Any) -> Any:
    if get_origin(kind) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind is bool:
        return {"true": True, "false": False}.get(text.strip().lower(), text)
    for number in (int, float):
        if kind is number:
            try:
                return number(text)
            except ValueError:
                return text
    return text


def _mistake(section: str, key: str, value: Any, kind: Any) -> str | None:
    problem = _wrong_type(value, kind)
    place = (section, key)
    if problem is None and place in _RANGES:
        low, high = _RANGES[place]
        problem = None if low <= value <= high else f"must be from {low:g} to {high:g}, not {value}"
    if problem is None and place in _CHOICES and value not in _CHOICES[place]:
        problem = f"must be one of {', '.join(_CHOICES[place])}, not {value!r}"
    if problem is None and place in _URLS and (value or place not in _MAY_BE_EMPTY):
        scheme = "embedded" if value == "embedded" else urlsplit(value).scheme
        allowed = _URLS[place]
        problem = None if scheme in allowed else f"must begin with {' or '.join(allowed)}"
    return problem


def _wrong_type(value: Any, kind: Any) -> str | None:
    if get_origin(kind) is tuple:
        inner = get_args(kind)[0]
        well = isinstance(value, list | tuple) and all(isinstance(item, inner) for item in value)
        return None if well else "must be a list of texts"
    if kind is float:
        well = isinstance(value, int | float) and not isinstance(value, bool)
        return None if well else f"must be a number, not {value!r}"
    if kind is int:
        well = isinstance(value, int) and not isinstance(value, bool)
        return None if well else f"must be a whole number, not {value!r}"
    if kind is bool:
        return None if isinstance(value, bool) else f"must be true or false, not {value!r}"
    return None if isinstance(value, kind) else f"must be a text in quotes, not {value!r}"


def _cross_check(settings: Settings) -> list[str]:
    problems = []
    size = len(settings.security.secret_key.encode())
    if size < MIN_SECRET_BYTES:
        problems.append(
            f"[security] secret_key: {size} bytes, at least {MIN_SECRET_BYTES} are needed; "
            'make one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
        )
    if settings.zalo.app_id and not settings.zalo.app_secret:
        problems.append("[zalo] app_secret: needed when app_id is set (developers.zalo.me, page of the app)")
    ping = settings.health.ping_url
    if ping and ("{job}" not in ping or urlsplit(ping).scheme not in {"http", "https"}):
        problems.append(
            "[health] ping_url: must begin with http or https and hold {job}, which stands for a job's name"
        )
    if settings.zalo.app_id and not settings.zalo.app_id.isdigit():
        problems.append("[zalo] app_id: digits only, in quotes")
    return problems

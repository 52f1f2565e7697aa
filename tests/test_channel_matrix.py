"""docs/channels.md says what the channels can, and all of it."""

from dataclasses import fields
from pathlib import Path

from bot.channels import channel
from bot.domain.message import Capabilities
from tests.setup import channel_matrix

PLAIN = {"Channel", "GrantedTokens", "PermissionPage", "FetchesFiles", "FinishesWork", "LoadsLate"}
"""Protocols that every provider fulfils, that are parts of others, or that nobody outside the service notices."""


def test_the_page_is_true() -> None:
    assert channel_matrix.PAGE.read_text(encoding="utf-8") == channel_matrix.page(), (
        "run: python -m tests.setup.channel_matrix"
    )


def test_every_capability_has_a_row() -> None:
    assert list(channel_matrix.ROWS) == [field.name for field in fields(Capabilities)]


def test_every_ability_has_a_row() -> None:
    protocols = {
        name
        for name, found in vars(channel).items()
        if getattr(found, "_is_protocol", False) and found.__module__ == channel.__name__
    }
    assert {ability.__name__ for ability in channel_matrix.ABILITIES} == protocols - PLAIN


def test_every_provider_has_a_column() -> None:
    folders = {path.parent.name for path in Path(channel.__file__).parent.glob("*/__init__.py")}
    assert {column.provider for column in channel_matrix.COLUMNS} == folders

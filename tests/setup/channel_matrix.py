"""Write docs/channels.md, what channels can carry, from the capabilities: python -m tests.setup.channel_matrix."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.channels import channel as abilities
from bot.channels.channel import AccountRef
from bot.channels.registry import capabilities_of
from bot.channels.telegram.bots import TelegramBots
from bot.channels.zalo.oa import ZaloOA
from bot.domain.message import Capabilities

PAGE = Path(__file__).resolve().parents[2] / "docs" / "channels.md"


@dataclass(frozen=True)
class Column:
    """One kind of account: `learnt` as the service finds it out by trying, `sources` where its facts come from."""

    name: str
    provider: str
    kind: str
    adapter: type
    sources: str

    @property
    def capabilities(self) -> Capabilities:
        """What such an account can carry before anything was learnt about it."""
        return capabilities_of(self.provider, AccountRef("", "", self.kind))


_ZALO = (
    "Zalo's developer papers of the Official Account API (messages v2 and v3, webhooks); see "
    "bot/channels/zalo/limits.py"
)
_TELEGRAM = (
    "core.telegram.org/bots/api (sendMessage, sendPhoto, sendDocument, editMessageText, InlineKeyboardButton, "
    "KeyboardButton, Update) and core.telegram.org/bots/faq (limits); see bot/channels/telegram/limits.py"
)
COLUMNS = (
    Column("Zalo OA of a state agency", "zalo", "state", ZaloOA, _ZALO),
    Column("Zalo OA of a business", "zalo", "business", ZaloOA, _ZALO),
    Column("Telegram bot", "telegram", "", TelegramBots, _TELEGRAM),
)


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _hours(value: object) -> str:
    return f"{value} hours" if value else "none"


def _number(value: object) -> str:
    return f"{value:,}".replace(",", " ") if value else "none"


Words = Callable[[object], str]
ROWS: dict[str, tuple[str, Words]] = {
    "max_text": ("longest text, in characters; longer ones are split", _number),
    "max_caption": ("longest text beside a picture or file (none: as any text)", _number),
    "utf16": ("emoji count as two characters", _yes),
    "max_buttons": ("buttons on one message (none: shown as numbered lines, more than fit: too)", _number),
    "max_button_label": ("longest label of a button", _number),
    "images": ("pictures", _yes),
    "files": ("files", _yes),
    "file_captions": ("words in the same message as a file (no: a message of their own)", _yes),
    "asks_contact": ("a button by which a person hands over the own phone number", _yes),
    "quotes": ("our answer can quote the message it answers", _yes),
    "edits": ("a message of ours can be changed in place (no: sent anew)", _yes),
    "groups": ("group chats of officials", _yes),
    "receipts": ("the provider tells when a message was delivered, and echoes it", _yes),
    "window_hours": ("free text only so long after the person's last word (none: at any time)", _hours),
    "free_hours": ("answers cost nothing so long after the person's last word (none: never anything)", _hours),
    "addressed_by": ("people are addressed by", lambda value: str(value).replace("_", " ")),
    "per_minute": ("requests a minute of one account, unless its answers tell another figure", _number),
}
"""Every fact of Capabilities, in words."""
ABILITIES = {
    abilities.FindsSent: "can be asked whether a message of unknown outcome arrived",
    abilities.AnswersTaps: "shows a few words over the chat when a button is pressed",
    abilities.RefreshesCredentials: "tokens age and are renewed by the service",
    abilities.KnowsProfiles: "can be asked for a person's name",
    abilities.KnowsTemplates: "has approved templates, for those whom free text may not reach",
    abilities.ListsFollowers: "tells who follows the account",
    abilities.KnowsAccounts: "can be asked what the account is",
    abilities.ConnectsByPage: "an administrator connects the account on the provider's own page",
    abilities.ConnectsByToken: "the account is connected by its token alone",
    abilities.SetsWebhook: "the service sets the webhook by itself",
    abilities.GivesUpdates: "works without a public address, by asking for updates",
}
"""What a provider can do besides carrying messages, by the protocol that stands for it in bot/channels/channel.py."""
_CONVERSATION = """\
The conversation with citizens, its texts and its outbox are the same everywhere. Handlers read the facts above and
never ask which provider it is:

- Buttons that do not fit become numbered lines; a number, the words and a tap mean the same everywhere, and so do
  commands such as `/start`, `/phananh`, `/huy`, `/dung`, also with the bot's name behind an `@`.
- Where no button for the phone exists, *nối kênh* says what to do instead. A phone typed by hand is never believed.
- A window that has closed is told to the official before they write (`bot/domain/reach.py`); without a window
  messages leave at any time.
- Photos that arrive one by one, as an album or not, are gathered until there is quiet, and answered once.
- Where people can change a message, the new words count, the old ones stay on record, and nothing is answered.
- Who blocks an account is not written to until they come back.
"""


def page() -> str:
    """Return the page as it has to be."""
    head = ["", *(column.name for column in COLUMNS)]
    lines = [
        "# Channels",
        "",
        "Written by `python -m tests.setup.channel_matrix` from the capabilities that the service itself goes by; a",
        "test holds it true. What an account turns out to do otherwise is learnt by trying and kept with the account.",
        "",
        "## What an account can carry",
        "",
        _row(head),
        _row(["---"] * len(head)),
    ]
    for name, (label, words) in ROWS.items():
        lines.append(_row([label, *(words(getattr(column.capabilities, name)) for column in COLUMNS)]))
    lines += ["", "## What a provider can do besides", "", _row(head), _row(["---"] * len(head))]
    for ability, label in ABILITIES.items():
        lines.append(_row([label, *(_yes(has(column.adapter, ability)) for column in COLUMNS)]))
    lines += ["", "## What follows for the conversation", "", _CONVERSATION, "## Where the facts come from", ""]
    lines += [f"- {column.name}: {column.sources}." for column in COLUMNS]
    return "\n".join(lines) + "\n"


def has(adapter: type, ability: type) -> bool:
    """Say whether an adapter has everything that a protocol asks for; some of it is only set when one is made."""
    wanted = {name for name in vars(ability) if not name.startswith("_")}
    return wanted <= {*dir(adapter), *adapter.__init__.__code__.co_names}  # type: ignore[misc]  # of this very class


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.name} written\n")

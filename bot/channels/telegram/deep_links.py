"""Write the addresses that open a bot's chat with a first word (core.telegram.org/bots/features#deep-linking)."""

from urllib.parse import quote

from bot.channels.channel import AccountRef


def deep_link(account: AccountRef, start: str, *, group: bool = False) -> str:
    """Return the address that starts a chat with a bot, or puts it into a group, with `start` as its first word.

    Returns "" while the bot's public name is not known.
    """
    name = account.learnt.get("username", "")
    return f"https://t.me/{quote(name)}?{'startgroup' if group else 'start'}={quote(start)}" if name else ""

"""Tell what is for the desk of officials from what citizens write: the first look at everything from such accounts."""

from bot import render
from bot.actions import contacts, official_links
from bot.actions.messages import say
from bot.domain.card import UNLINK_WORDS, command, is_payload, link_code, read_payload
from bot.domain.text import clean, fold
from bot.domain.update import AccountNews, ButtonPressed, Followed, MessageReceived, Update
from bot.store import contacts as rows
from bot.store import links, messages
from bot.store.accounts import AccountRow
from bot.store.unit_of_work import UnitOfWork
from handlers.citizen.turn import Desk
from handlers.official import lists, migration, redeem, replies, taps
from handlers.official.duty import Duty, duty_of

_MENU = "/menu"


async def _unlink(duty: Duty, _words: str) -> None:
    await redeem.unlink(duty)


COMMANDS = {"viec": lists.work, "tim": lists.find, "huycanbo": _unlink}
"""What an official can type; anybody else who types it sees the citizens' menu."""


async def handled(desk: Desk, uow: UnitOfWork, account: AccountRow, update: Update) -> bool:
    """Handle what is for the desk; False when it is a citizen's. What happens in a group is never a citizen's."""
    if not uow.capabilities(account).groups:
        return False
    match update:
        case MessageReceived() if not update.test:
            return await _message(desk, uow, account, update)
        case ButtonPressed() if update.sender:
            return await _button(desk, uow, account, update)
        case AccountNews():
            await _news(desk, uow, account, update)
        case Followed():
            await _back(uow, account, update.sender)
    return bool(update.chat)


async def _message(desk: Desk, uow: UnitOfWork, account: AccountRow, update: MessageReceived) -> bool:
    text = clean(update.text)
    code = None if update.edited else link_code(_without_command(text))
    if code is not None:
        await redeem.redeem(desk, uow, account, code, chat=update.chat, sender=update.sender)
        return True
    if update.edited:
        return await _edited(desk, uow, account, update) or bool(update.chat)
    official = await links.official(uow.session, account.id, update.sender)
    if update.chat:
        await _in_group(desk, uow, account, update, official, text)
        return True
    chat = await rows.known(uow.session, account.id, update.sender)
    if official is None or chat is None:
        return False
    duty = await duty_of(desk, uow, account, official, chat)
    return await _commanded(duty, text) or await replies.take(duty, update, text)


async def _edited(desk: Desk, uow: UnitOfWork, account: AccountRow, update: MessageReceived) -> bool:
    """Tell an official that words which the desk has taken in stay as they were; False for anybody's other words."""
    official = await links.official(uow.session, account.id, update.sender)
    chat = await rows.known(uow.session, account.id, update.chat or update.sender)
    if official is None or chat is None:
        return False
    taken = await replies.concerns_us(uow, account, chat, update)
    if not taken and not update.chat:
        # What citizens write is all on record, and what officials write for the desk is not, or as theirs.
        row = await messages.from_contact(uow.session, chat.id, update.message_id)
        taken = row is None or row.author == "staff"
    if taken:
        await (await duty_of(desk, uow, account, official, chat)).say("edit_too_late")
    return taken


def _without_command(text: str) -> str:
    """Return what follows a command of any name: in groups a bot is sent commands only, so codes come behind one."""
    name, rest = command(text)
    return rest if name else text


async def _commanded(duty: Duty, text: str) -> bool:
    name, rest = command(text)
    if fold(text) in UNLINK_WORDS and duty.group is None:
        name = "huycanbo"
    if name not in COMMANDS:
        return False
    await COMMANDS[name](duty, rest)
    return True


async def _in_group(
    desk: Desk, uow: UnitOfWork, account: AccountRow, update: MessageReceived, official: links.Linked | None, text: str
) -> None:
    """Handle what is said in a group: commands, and replies to our own messages; all else is not meant for us."""
    chat = await rows.known(uow.session, account.id, update.chat)
    if chat is None or await links.group(uow.session, chat.id) is None:
        return
    if official is not None:
        duty = await duty_of(desk, uow, account, official, chat)
        await _commanded(duty, text) or await replies.take(duty, update, text)
    elif command(text)[0] in COMMANDS or await replies.concerns_us(uow, account, chat, update):
        how = render.message("official/group_not_linked")
        await say(uow, account, chat, how, purpose="group_not_linked")


async def _button(desk: Desk, uow: UnitOfWork, account: AccountRow, update: ButtonPressed) -> bool:
    if not update.chat and not is_payload(update.payload):
        return False
    official = await links.official(uow.session, account.id, update.sender)
    chat = await rows.known(uow.session, account.id, update.chat or update.sender)
    if official is None or chat is None:
        uow.toast = render.words("official/toast_not_linked") if update.chat else ""
        return bool(update.chat)
    duty = await duty_of(desk, uow, account, official, chat, update.message_id)
    tap = read_payload(update.payload)
    if tap is None:
        duty.toast("toast_old_button")
    elif update.chat and duty.group is None:
        duty.toast("toast_no_group")
    else:
        await taps.press(duty, tap)
    return True


def citizens_text(text: str) -> str:
    """Return what words or a button mean from a citizen: those of the desk open the menu."""
    return _MENU if is_payload(text) or command(text)[0] in COMMANDS else text


async def _back(uow: UnitOfWork, account: AccountRow, chat_id: str) -> None:
    """Note that a chat of the office can be written to again: its cards are told what they missed."""
    chat = await rows.known(uow.session, account.id, chat_id)
    if chat is None or not chat.gone:
        return
    if await links.link(uow.session, chat.id) is not None or await links.group(uow.session, chat.id) is not None:
        await official_links.reached(uow, chat)


async def _news(desk: Desk, uow: UnitOfWork, account: AccountRow, update: AccountNews) -> None:
    """Take in what became of the bot in a group: put in, thrown out, given rights, told of a new id, or asked."""
    if update.what == "group_migrated":
        await migration.migrated(uow, account, update.details.get("from", ""), update.details.get("to", ""))
    elif update.what in {"joined_group", "rights_in_group"}:
        await _back(uow, account, update.chat)
    elif update.what == "anonymous_command":
        await _anonymous(desk, uow, account, update.chat, update.details.get("text", ""))
    if update.what == "joined_group" and update.chat:
        chat = await contacts.met(uow, account, update.chat, interacts=True, kind="group")
        chat.name = clean(update.details.get("title", ""))[:100] or chat.name
        if await links.group(uow.session, chat.id) is None:
            await say(uow, account, chat, render.message("official/group_hello"), purpose="group_hello")
    elif update.what == "left_group" and update.chat:
        left = await rows.known(uow.session, account.id, update.chat)
        if left is not None:
            await official_links.left_group(uow, left)


async def _anonymous(desk: Desk, uow: UnitOfWork, account: AccountRow, chat_id: str, text: str) -> None:
    """Handle what an administrator says as the group itself: a code proves enough, all else needs a name."""
    code = link_code(_without_command(text))
    if code is not None:
        await redeem.redeem(desk, uow, account, code, chat=chat_id)
        return
    chat = await rows.known(uow.session, account.id, chat_id)
    if chat is not None and command(text)[0] in COMMANDS and await links.group(uow.session, chat.id) is not None:
        await say(uow, account, chat, render.message("official/group_anonymous"), purpose="group_anonymous")

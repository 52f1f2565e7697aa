"""One official in one chat: who acts, where, and how to answer."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from bot import render
from bot.actions import case_rights, official_links
from bot.actions.messages import say
from bot.actions.official_audience import Chat
from bot.actions.official_card_text import Office
from bot.domain.access import Permission
from bot.errors import ForbiddenError
from bot.store import links
from bot.store.accounts import AccountRow
from bot.store.cases import CaseRow
from bot.store.contacts import ContactRow
from bot.store.links import Linked, UnitGroupRow
from bot.store.unit_of_work import Actor, UnitOfWork
from handlers.citizen.turn import Desk

_WORTH = timedelta(hours=2)
"""An answer to a word or a tap is worth nothing later: it is not sent any more when an account was down so long."""


@dataclass(frozen=True, slots=True)
class Duty:
    """What a handler of the desk works on; `group` is set in the group of a unit, `pressed` the message of a button."""

    desk: Desk
    uow: UnitOfWork
    account: AccountRow
    chat: ContactRow
    official: Linked
    group: UnitGroupRow | None = None
    pressed: str | None = None

    @property
    def staff_id(self) -> str:
        """The official who acts."""
        return self.official.person.id

    @property
    def office(self) -> Office:
        """What cards need besides the transaction."""
        return Office(self.desk.public_url, self.desk.box)

    @property
    def as_chat(self) -> Chat:
        """This chat as one that gets cards: in a group nobody's own rights count."""
        grants = None if self.group is not None else self.official.grants
        return Chat(self.chat.id, self.account.id, grants)

    def may_be_shown(self, case: CaseRow) -> bool:
        """Say whether a case may be spoken of in this chat: in a group only its unit's, and nothing about conduct."""
        return self.group is None or (not case.restricted and case.unit_id == self.group.unit_id)

    async def case_for(self, case_id: str, permission: Permission) -> CaseRow:
        """Return a case that this official may do this to in this chat; raises NotFoundError and ForbiddenError."""
        case = await case_rights.case_for(self.uow.session, self.official.grants, case_id, permission)
        if not self.may_be_shown(case):
            raise ForbiddenError(permission)
        return case

    async def say(self, template: str, *, edits: bool = False, quotes: bool = False, **values: Any) -> str | None:
        """Say templates/messages/vi/official/<template>.txt; returns the row's id.

        With `edits` in place of the message whose button was pressed, with `quotes` as a reply to it.
        """
        known = {"name": self.official.person.name, "group": self.group is not None}
        message = render.message(f"official/{template}", {**known, **values})
        if self.pressed and edits:
            message = replace(message, edits=self.pressed)
        elif self.pressed and quotes:
            message = replace(message, replies_to=self.pressed)
        ids = await say(self.uow, self.account, self.chat, message, purpose=template, lifetime=_WORTH)
        return ids[-1] if ids else None

    def toast(self, template: str, **values: Any) -> None:
        """Show a few words over the chat to whoever has pressed a button."""
        self.uow.toast = render.words(f"official/{template}", values)


async def duty_of(
    desk: Desk, uow: UnitOfWork, account: AccountRow, official: Linked, chat: ContactRow, pressed: str | None = None
) -> Duty:
    """Let an official act in a chat, from here on in their name."""
    uow.actor = Actor("staff", official.person.id, official.person.name, account.provider)
    if chat.gone:
        await official_links.reached(uow, chat)
    group = await links.group(uow.session, chat.id) if chat.kind == "group" else None
    return Duty(desk, uow, account, chat, official, group, pressed)

"""One turn of a conversation: what arrived, where the conversation stands, and how to answer."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from bot import render
from bot.actions.messages import say
from bot.config import ConversationSettings
from bot.domain.conversation import Draft, Step
from bot.domain.update import Attachment, AttachmentKind
from bot.domain.words import MenuWord, menu_word
from bot.secrets import SecretBox
from bot.store.accounts import AccountRow
from bot.store.contacts import ContactRow, ConversationRow
from bot.store.messages import MessageRow
from bot.store.unit_of_work import UnitOfWork

_CHATTER = timedelta(hours=2)
"""What the bot says in passing is worth nothing later: it is not sent any more when an account was down so long."""
PHOTO_KINDS = frozenset({AttachmentKind.IMAGE})


@dataclass(frozen=True, slots=True)
class Desk:
    """What every turn may use besides the transaction; `public_url` is where the console is."""

    settings: ConversationSettings
    box: SecretBox
    public_url: str = ""


@dataclass(slots=True)
class Turn:
    """What a citizen handler works on.

    `text` is what was typed or what a number stands for; `numbers` says that a bare number means a menu entry,
    `pressed` that a button of ours was pressed; `album` is shared by what was sent together.
    """

    desk: Desk
    uow: UnitOfWork
    account: AccountRow
    contact: ContactRow
    conversation: ConversationRow
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    message: MessageRow | None = None
    draft: Draft | None = None
    numbers: bool = False
    pressed: bool = False
    album: str = ""
    said: list[str] = field(default_factory=list)

    @property
    def step(self) -> Step:
        """Where the conversation stands."""
        return Step(self.conversation.state)

    @property
    def word(self) -> MenuWord | None:
        """The command that the text is, if it is one."""
        return menu_word(self.text, numbers=self.numbers)

    @property
    def message_ids(self) -> list[str]:
        """The stored message of this turn, as a list."""
        return [self.message.id] if self.message else []

    @property
    def photos(self) -> tuple[Attachment, ...]:
        """The photos that came with this turn."""
        return tuple(a for a in self.attachments if a.kind in PHOTO_KINDS)

    @property
    def place(self) -> Attachment | None:
        """The place that was shared, if one was."""
        return next((a for a in self.attachments if a.latitude is not None and a.longitude is not None), None)

    def recall(self, key: str) -> Any:
        """Return a fact kept with the conversation, or None."""
        return self.conversation.data.get(key)

    def remember(self, **facts: Any) -> None:
        """Keep facts with the conversation; None forgets."""
        data = {**self.conversation.data, **facts}
        self.conversation.data = {key: value for key, value in data.items() if value is not None}

    def goto(self, step: Step) -> None:
        """Wait for something else from now on; nothing is asked by itself any more."""
        self.conversation.state = step.value
        self.conversation.resume_at = None

    def wait_for_quiet(self) -> None:
        """Go on by itself once no more photos arrive."""
        seconds = self.desk.settings.quiet_seconds
        self.conversation.resume_at = self.uow.now + timedelta(seconds=seconds)
        self.uow.after_commit("resume_conversations", seconds)

    async def say(
        self, template: str, *, case_id: str | None = None, asks_contact: bool = False, **values: Any
    ) -> None:
        """Answer with templates/messages/vi/citizen/<template>.txt and remember its buttons, so that numbers work."""
        message = replace(render.message(f"citizen/{template}", values), asks_contact=asks_contact)
        lifetime = None if case_id else _CHATTER
        await say(self.uow, self.account, self.contact, message, purpose=template, case_id=case_id, lifetime=lifetime)
        self.remember(buttons=[b.payload for b in message.buttons] or None)
        self.said.append(template)

    def keep(self) -> None:
        """Write the draft and the time back into the conversation's row; called once, at the end of a turn."""
        self.remember(draft=self.draft.to_json() if self.draft else None)
        self.conversation.updated_at = self.uow.now

"""Send and ask as a bot: everything of the channel that needs aiogram, which is why it is brought in late."""

from datetime import datetime

from aiogram.methods import (
    AnswerCallbackQuery,
    DeleteWebhook,
    GetChat,
    GetFile,
    GetMe,
    GetWebhookInfo,
    SetWebhook,
    TelegramMethod,
)
from aiogram.methods.base import TelegramType
from aiogram.types import Message as SentMessage
from aiogram.types import User, WebhookInfo

from bot.channels.channel import AccountInfo, AccountRef, Fetched, FileRefusedError, LoadFile, Profile, WebhookState
from bot.channels.rate_limit import NOTICE, Meter, in_lane
from bot.channels.telegram.attachments import SCHEME
from bot.channels.telegram.client import TelegramClient
from bot.channels.telegram.fetching import GetRawUpdates, fetched
from bot.channels.telegram.ids import is_group, message_id, number_in
from bot.channels.telegram.limits import bot_windows, chat_windows
from bot.channels.telegram.outgoing import Sending, Upload, changed_caption, changed_text, new_media, new_message
from bot.channels.telegram.uploads import Uploads
from bot.channels.telegram.webhook import KINDS
from bot.clock import Now
from bot.domain.delivery import MessageInvalidError, RecipientGoneError, SendError, Sent, ThrottledError
from bot.domain.message import Message

_UPLOAD_SECONDS = 18.0
_FETCH_MARGIN = 15.0
_MARGIN = 0.5
_MAX_TOAST = 200
_UNCHANGED = "message is not modified"
_NO_WORDS = "no text in the message to edit"
_NOT_THERE = ("message to edit not found", "message can't be edited", "message_id_invalid", "message not found")
_NOT_A_PHOTO = ("photo_invalid_dimensions", "image_process_failed", "photo_save_file_invalid", "wrong type of the web")
_UNKNOWN_FILE = ("wrong file identifier", "wrong remote file identifier", "file reference")
_NO_PICTURE = ("failed to get http url content", "wrong type of the web page content", "wrong file identifier")


class Talk:
    """Speak to Telegram for all bots; the methods are those of the channel."""

    def __init__(self, client: TelegramClient, meter: Meter, load_file: LoadFile, now: Now) -> None:
        self._client = client
        self._meter = meter
        self._uploads = Uploads(load_file)
        self._now = now

    async def send(self, account: AccountRef, chat: str, message: Message) -> Sent:
        """Send or edit one message. Raises the SendError family."""
        if not chat.removeprefix("-").isdecimal():
            raise RecipientGoneError("chat_not_found", "not the id of a chat")
        number = number_in(chat, message.edits)
        if number is not None and await self._edited(account, chat, number, message):
            return Sent(message_id(chat, number))
        sent = await self._new(account, chat, message)
        return Sent(message_id(sent.chat.id, sent.message_id))

    async def _new(self, account: AccountRef, chat: str, message: Message) -> SentMessage:
        if message.media is not None:
            return await self._new_media(account, chat, message)
        if message.image_url:
            return await self._with_picture(account, chat, message)
        return await self._post(account, chat, new_message(chat, message))

    async def _with_picture(self, account: AccountRef, chat: str, message: Message) -> SentMessage:
        """Send words under a picture of the web; without it when there is too much to say or no picture."""
        try:
            return await self._post(account, chat, new_media(chat, message, Upload("photo", message.image_url)))
        except MessageInvalidError as error:
            if error.reason != "text_too_long" and not _says(error, _NO_PICTURE):
                raise
        return await self._post(account, chat, new_message(chat, message))

    async def _new_media(self, account: AccountRef, chat: str, message: Message) -> SentMessage:
        media = message.media
        assert media is not None
        upload = await self._uploads.get(account.id, media)
        try:
            sent = await self._post(account, chat, new_media(chat, message, upload))
        except MessageInvalidError as error:
            # Nothing was sent: Telegram has forgotten the upload, or the picture is none that it shows as one.
            odd = _says(error, _NOT_A_PHOTO)
            if not odd and not (isinstance(upload.content, str) and _says(error, _UNKNOWN_FILE)):
                raise
            self._uploads.forget(account.id, media)
            upload = await self._uploads.get(account.id, media, whole=odd)
            sent = await self._post(account, chat, new_media(chat, message, upload))
        self._uploads.remember(account.id, media, upload, sent)
        return sent

    async def _edited(self, account: AccountRef, chat: str, number: int, message: Message) -> bool:
        """Put a message in the place of an earlier one; False when that is gone. Doing so twice harms nobody."""
        if message.media is not None:
            return False
        try:
            await self._call(account, chat, changed_text(chat, number, message))
        except MessageInvalidError as error:
            if _says(error, (_NO_WORDS,)):
                return await self._edited_caption(account, chat, number, message)
            return _settled(error)
        return True

    async def _edited_caption(self, account: AccountRef, chat: str, number: int, message: Message) -> bool:
        try:
            await self._call(account, chat, changed_caption(chat, number, message))
        except MessageInvalidError as error:
            return _settled(error)
        return True

    async def answer_tap(self, account: AccountRef, tap_id: str, text: str) -> None:
        """Let a pressed button stop spinning; raises the SendError family."""
        method = AnswerCallbackQuery(callback_query_id=tap_id, text=text[:_MAX_TOAST] or None)
        await self._ask(account, method)

    async def profile(self, account: AccountRef, external_id: str) -> Profile:
        """Ask for the name of a person or group; raises the SendError family."""
        with in_lane(NOTICE):
            chat = await self._ask(account, GetChat(chat_id=int(external_id)))
        return Profile(chat.full_name if not is_group(external_id) else chat.title or "")

    async def account_info(self, account: AccountRef) -> AccountInfo:
        """Ask who this account is; raises the SendError family."""
        return _info(await self._ask(account, GetMe()))

    async def identify(self, token: str) -> AccountInfo:
        """Ask whose token this is; raises the SendError family."""
        return _info(await self._client.call_as(self._client.bot(token), GetMe()))

    async def file_address(self, account: AccountRef, reference: str) -> str:
        """Return where a file is now, with the token in it. Raises FileRefusedError and the SendError family."""
        if not reference.startswith(SCHEME):
            raise FileRefusedError("foreign_host")
        try:
            file = await self._ask(account, GetFile(file_id=reference.removeprefix(SCHEME)))
        except MessageInvalidError as error:
            if _says(error, ("file is too big",)):
                raise FileRefusedError("too_large") from None
            raise FileRefusedError("gone", again=_says(error, ("temporarily unavailable",))) from None
        if not file.file_path:
            raise FileRefusedError("gone", again=True)
        return self._client.file_url(await self._client.bot_of(account.id), file.file_path)

    async def keep_webhook(self, account: AccountRef, url: str, secret: str, *, anew: bool) -> WebhookState:
        """Make sure that updates come to `url` with the secret; raises the SendError family."""
        try:
            info = await self._kept_webhook(account, url, secret, anew=anew)
        except MessageInvalidError as error:
            raise MessageInvalidError("webhook_refused", error.detail, provider_code=error.provider_code) from error
        failed_at = info.last_error_date
        return WebhookState(
            info.pending_update_count,
            info.last_error_message or "",
            failed_at if isinstance(failed_at, datetime) else None,
        )

    async def _kept_webhook(self, account: AccountRef, url: str, secret: str, *, anew: bool) -> WebhookInfo:
        info = await self._ask(account, GetWebhookInfo())
        asked = set(info.allowed_updates or ())
        if anew or info.url != url or asked != set(KINDS):
            await self._ask(account, SetWebhook(url=url, secret_token=secret, allowed_updates=list(KINDS)))
            info = await self._ask(account, GetWebhookInfo())
        return info

    async def begin_polling(self, account: AccountRef) -> None:
        """Take the webhook away; raises the SendError family."""
        await self._ask(account, DeleteWebhook(drop_pending_updates=False))

    async def updates(self, account: AccountRef, offset: int | None, seconds: int) -> list[Fetched]:
        """Wait for updates; raises PollConflictError and the SendError family."""
        method = GetRawUpdates(offset=offset, timeout=seconds, allowed_updates=list(KINDS))
        texts = await self._client.call(account.id, method, seconds=seconds + _FETCH_MARGIN)
        found = [fetched(text.encode("utf-8", "replace"), account.external_id, self._now()) for text in texts]
        return sorted(filter(None, found), key=lambda each: each.number)

    async def _post(self, account: AccountRef, chat: str, method: Sending) -> SentMessage:
        """Send what must not reach anybody twice."""
        seconds = None if method.__api_method__ == "sendMessage" else _UPLOAD_SECONDS
        return await self._call(account, chat, method, once=True, seconds=seconds)

    async def _call(
        self,
        account: AccountRef,
        chat: str,
        method: TelegramMethod[TelegramType],
        *,
        once: bool = False,
        seconds: float | None = None,
    ) -> TelegramType:
        """Call a method that shows in a chat, counted in the chat's windows and the bot's as it leaves."""
        own, all_chats = chat_windows(account.id, chat), bot_windows(account.id)
        await self._client.bot_of(account.id)
        await self._meter.pay_now((*own, *all_chats))
        try:
            return await self._client.call(account.id, method, once=once, seconds=seconds)
        except ThrottledError as error:
            # A group has limits of its own, which say nothing about other chats.
            told_of = own if is_group(chat) else (*own, *all_chats)
            await self._meter.budget.block(told_of, (error.retry_after or 1.0) + _MARGIN)
            raise

    async def _ask(self, account: AccountRef, method: TelegramMethod[TelegramType]) -> TelegramType:
        """Call a method that shows nowhere."""
        windows = bot_windows(account.id)
        await self._meter.pay_now(windows)
        try:
            return await self._client.call(account.id, method)
        except ThrottledError as error:
            await self._meter.budget.block(windows, (error.retry_after or 1.0) + _MARGIN)
            raise


def _info(me: User) -> AccountInfo:
    return AccountInfo(str(me.id), me.full_name, "", {"username": me.username or ""})


def _says(error: SendError, texts: tuple[str, ...]) -> bool:
    said = error.detail.lower()
    return any(text in said for text in texts)


def _settled(error: MessageInvalidError) -> bool:
    """Say whether a refused edit is as good as done, or needs a new message; raises it when it is neither."""
    if _says(error, (_UNCHANGED,)):
        return True
    if _says(error, _NOT_THERE):
        return False
    raise error

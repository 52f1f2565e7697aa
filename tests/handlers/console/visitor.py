"""Ask the console as one person would, and make cases for them to work on."""

import io
import re
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import ClientResponse, FormData
from aiohttp.test_utils import TestClient
from PIL import Image

from bot.actions import contacts, report_case, staff
from bot.actions.messages import receive
from bot.domain.conversation import Draft
from bot.domain.update import Attachment, AttachmentKind, MessageReceived
from bot.passwords import new_token
from bot.runtime import Runtime
from bot.store import accounts
from bot.store import staff as staff_rows
from bot.store.cases import CaseRow
from bot.store.files import FileRow
from bot.store.messages import AttachmentRow
from bot.store.unit_of_work import Actor

Client = TestClient[Any, Any]
ADDRESS = "203.0.113.7"


def picture_bytes(colour: str = "teal", kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, kind)
    return out.getvalue()


@dataclass
class Visitor:
    """One signed-in person; redirects are not followed."""

    client: Client
    token: str
    csrf: str

    async def get(self, path: str, **headers: str) -> ClientResponse:
        return await self.client.get(path, headers={"Cookie": f"loa={self.token}", **headers}, allow_redirects=False)

    async def page(self, path: str) -> str:
        answer = await self.get(path)
        assert answer.status == 200, (path, answer.status)
        return await answer.text()

    async def post(self, path: str, fields: Any = None, *, csrf: str | None = None, **headers: str) -> ClientResponse:
        data = fields
        if not isinstance(fields, FormData):
            data = FormData()
            data.add_field("csrf", self.csrf if csrf is None else csrf)
            for name, value in (fields or {}).items():
                for one in value if isinstance(value, list) else [value]:
                    data.add_field(name, one)
        given = {"Cookie": f"loa={self.token}", **headers}
        return await self.client.post(path, data=data, headers=given, allow_redirects=False)

    async def upload(self, path: str, name: str, data: bytes, field_name: str = "files") -> ClientResponse:
        form = FormData(quote_fields=False)
        form.add_field(field_name, io.BytesIO(data), filename=name, content_type="application/octet-stream")
        return await self.post(path, form, **{"X-CSRF-Token": self.csrf})


@dataclass
class Office:
    """The running console of the commune of tests/commune.py."""

    runtime: Runtime
    client: Client
    clock: Any
    numbers: list[int] = field(default_factory=lambda: [0])

    async def enter(self, key: str) -> Visitor:
        """Sign somebody in without the form."""
        token, csrf = new_token(), new_token()
        async with self.runtime.units_of_work() as uow:
            person = await staff_rows.person(uow.session, key)
            assert person is not None
            await staff.open_session(uow, person, token, csrf, ADDRESS, "test", 12)
        return Visitor(self.client, token, csrf)

    async def make_case(
        self,
        text: str = "Đèn đường thôn Kim Lâm hỏng ba hôm nay, rất tối",
        category: str = "dien-nuoc",
        *,
        citizen: str = "3333444455556666777",
        attachments: tuple[Attachment, ...] = (),
        **details: Any,
    ) -> CaseRow:
        """Open a case the way a citizen's confirmed report does."""
        self.numbers[0] += 1
        number = self.numbers[0]
        async with self.runtime.units_of_work(Actor("citizen")) as uow:
            account = await accounts.account(uow.session, "account")
            assert account is not None
            contact = await contacts.met(uow, account, citizen, interacts=True)
            contact.name = contact.name or "Nguyễn Thị Hoà"
            await contacts.conversation_of(uow, contact)
            update = MessageReceived(
                account=account.external_id,
                external_id=f"u{number}",
                sender=citizen,
                occurred_at=uow.now,
                message_id=f"c{number}",
                text=text,
                attachments=attachments,
            )
            message, _ = await receive(uow, account, contact, update)
            draft = Draft(category_id=category, text=text, message_ids=[message.id], **details)
            opened = await report_case.open_case(uow, account, contact, draft)
            return opened.case

    async def case(self, case_id: str) -> CaseRow:
        """Read a case anew."""
        async with self.runtime.database.reading() as session:
            row = await session.get(CaseRow, case_id)
            assert row is not None
            return row

    async def photo_of(self, case: CaseRow) -> FileRow:
        """Keep a citizen's photo as fetching it would."""
        async with self.runtime.units_of_work() as uow:
            row = FileRow(
                id=uow.new_id(),
                key=f"t/{uow.new_id()}",
                thumbnail_key=None,
                media_type="image/jpeg",
                name="anh.jpg",
                size=4,
                sha256="0" * 64,
                created_at=uow.now,
            )
            row.thumbnail_key = f"{row.key}.thumb"
            uow.session.add(row)
            await uow.session.flush()
            found = (await uow.session.exec(_attachments(case))).first()
            assert found is not None
            found.state, found.file_id = "stored", row.id
        await self.runtime.blobs.put(row.key, b"full")
        await self.runtime.blobs.put(f"{row.key}.thumb", b"small")
        return row

    def undoable_for(self, seconds: int) -> None:
        """Let what is sent be taken back for so long."""
        talk = replace(self.runtime.settings.conversation, undo_seconds=seconds)
        self.runtime.settings = replace(self.runtime.settings, conversation=talk)


def _attachments(case: CaseRow) -> Any:
    from sqlmodel import select

    return select(AttachmentRow).where(AttachmentRow.case_id == case.id)


def photo() -> Attachment:
    """Return a photo as a citizen attaches it."""
    return Attachment(kind=AttachmentKind.IMAGE, url="http://127.0.0.1:1/anh.jpg")


def hidden(page: str, name: str) -> str:
    """Return the first value of a hidden field on a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]

"""Notices leave by the first way that is open, go on to the next when one is refused, and are told once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from bot.actions import contacts as contact_actions
from bot.actions import dossier_settings, outgoing
from bot.actions.dossiers import News, take_in
from bot.clock import to_local
from bot.domain.dossier import Kind, Status
from bot.runtime import Runtime
from bot.store import dossier_notices, outbox
from bot.store.accounts import AccountRow
from bot.store.contacts import ContactRow, ConversationRow
from bot.store.dossier_notices import DossierNoticeRow
from bot.store.dossiers import DossierPersonRow, DossierRow
from bot.store.outbox import OutboxRow
from bot.store.provider_templates import ProviderTemplateRow
from jobs.tell_dossiers import tell_dossiers
from tests import commune
from tests.runtime_fixtures import Clock

CODE = "000.00.01.H26-261120-0012"
PHONE = "84900000001"
PARAMETERS = {"ma": "{{mã hồ sơ}}", "tt": "{{tình trạng}}"}


class Office:
    """A commune with an Official Account and a bot, one dossier, and somebody whose it is."""

    def __init__(self, runtime: Runtime, clock: Clock) -> None:
        self.runtime, self.clock = runtime, clock

    async def build(self) -> "Office":
        async with self.runtime.units_of_work() as uow:
            await commune.build(uow)
            uow.session.add(commune.account_of(uow, "telegram", "", commune.BOT, "bot"))
        return self

    async def settings(self, **given: Any) -> None:
        async with self.runtime.units_of_work() as uow:
            await dossier_settings.change(uow, "commune", given)

    async def template(self, kind: Kind = Kind.ACCEPTED, *, by_user: bool = True, **settings: Any) -> None:
        async with self.runtime.units_of_work() as uow:
            parameters = [{"name": name, "type": "LABEL", "required": True} for name in PARAMETERS]
            row = ProviderTemplateRow(
                account_id="account", template_id="7", status="ENABLE", by_user=by_user, parameters=parameters
            )
            uow.session.add(row)
        await self.choose(kind, PARAMETERS)
        if settings:
            await self.settings(**settings)

    async def choose(self, kind: Kind, parameters: dict[str, str]) -> None:
        async with self.runtime.units_of_work() as uow:
            chosen = {"account": {"template_id": "7", "parameters": parameters}}
            await dossier_settings.choose_templates(uow, "commune", kind, chosen)

    async def person(
        self, user: str = "u1", *, hours: float = 1, phone: str = PHONE, account: str = "account", bound: bool = False
    ) -> ContactRow:
        async with self.runtime.units_of_work() as uow:
            owner = await uow.session.get(AccountRow, account)
            assert owner is not None
            at = uow.now - timedelta(hours=hours)
            row = await contact_actions.met(uow, owner, user, interacts=True, at=at)
            await contact_actions.conversation_of(uow, row)
            if phone:
                await contact_actions.share_phone(uow, row, phone, "Nguyễn Văn Mẫu", "", self.runtime.box)
            if bound:
                dossier = (await uow.session.exec(select(DossierRow))).one()
                uow.session.add(DossierPersonRow(dossier_id=dossier.id, contact_id=row.id, how="code", at=uow.now))
        return row

    async def take(self, status: int = 2, *, at: datetime | None = None, phone: str = PHONE, **facts: Any) -> int:
        """Report a status and tell what is to be told; returns how many notices moved."""
        moment = at or self.clock.now
        news = News(CODE, Status(status), moment, "economy", "/commune/economy/", facts, "Nguyễn Văn Mẫu", phone)
        async with self.runtime.units_of_work() as uow:
            await take_in(uow, self.runtime.box, [news], "import:1")
        return await tell_dossiers(self.runtime)

    async def notices(self) -> list[DossierNoticeRow]:
        async with self.runtime.database.reading() as session:
            query = select(DossierNoticeRow).order_by(col(DossierNoticeRow.at), col(DossierNoticeRow.id))
            return list((await session.exec(query)).all())

    async def notice(self) -> DossierNoticeRow:
        [row] = await self.notices()
        return row

    async def queued(self) -> list[OutboxRow]:
        async with self.runtime.database.reading() as session:
            return list((await session.exec(select(OutboxRow).order_by(col(OutboxRow.id)))).all())

    async def refuse(self, reason: str) -> None:
        """Have the last message given up as a provider's refusal does."""
        row = (await self.queued())[-1]
        async with self.runtime.units_of_work() as uow:
            current = await outbox.row(uow.session, row.id)
            assert current is not None
            current.state, current.reason, current.failed_at = "failed", reason, uow.now
            await outgoing.given_up(uow, current)
        await tell_dossiers(self.runtime)

    async def change(self, contact_id: str, **values: Any) -> None:
        """Write what has become of the message to a contact."""
        async with self.runtime.units_of_work() as uow:
            row = (await uow.session.exec(select(OutboxRow).where(OutboxRow.contact_id == contact_id))).one()
            for name, value in values.items():
                setattr(row, name, value)
            if values["state"] == "failed":
                await outgoing.given_up(uow, row)
        await tell_dossiers(self.runtime)

    async def arrive(self) -> None:
        """Have everything that is queued arrive."""
        async with self.runtime.units_of_work() as uow:
            for row in (await uow.session.exec(select(OutboxRow).where(OutboxRow.state == "queued"))).all():
                await outgoing.settle(uow, row, f"z-{row.id}")


@pytest.fixture
async def office(runtime: Runtime, clock: Clock) -> Office:
    return await Office(runtime, clock).build()


def ways(rows: Sequence[OutboxRow]) -> list[tuple[str, str]]:
    return [(row.account_id, row.way) for row in rows]


async def test_a_chat_inside_the_window_comes_first(office: Office) -> None:
    await office.template()
    person = await office.person()
    await office.person("t1", account="bot")
    assert await office.take(due_at=office.clock.now + timedelta(days=3)) == 1
    [row] = await office.queued()
    assert (row.contact_id, row.purpose, row.lane, row.way) == (person.id, "dossier", 1, "chat")
    assert CODE in row.text
    assert "26/11/2026" in row.text
    notice = await office.notice()
    assert (notice.state, notice.way, notice.outbox_id, notice.contact_id) == ("leaving", "chat", row.id, person.id)
    await office.arrive()
    notice = await office.notice()
    assert notice.state == "told"
    assert notice.told_at is not None


async def test_who_said_stop_is_told_of_their_dossier_all_the_same(office: Office) -> None:
    person = await office.person()
    async with office.runtime.units_of_work() as uow:
        row = await uow.session.get(ContactRow, person.id)
        assert row is not None
        await contact_actions.stop_announcements(uow, row)
    await office.take()
    assert len(await office.queued()) == 1


async def test_ways_follow_each_other_as_they_are_refused(office: Office) -> None:
    await office.template()
    await office.person()
    await office.person("t1", account="bot")
    await office.take()
    for reason in ("reply_window_closed", "template_not_by_user_id", "recipient_not_found"):
        await office.refuse(reason)
    rows = await office.queued()
    expected = [("account", "chat"), ("account", "template_user"), ("account", "template_phone"), ("bot", "chat")]
    assert ways(rows) == expected
    assert rows[1].body["parameters"] == {"ma": CODE, "tt": "Đã tiếp nhận"}
    assert (await office.notice()).way == "telegram"
    await office.refuse("bot_blocked")
    notice = await office.notice()
    assert (notice.state, notice.reason, len(notice.tried)) == ("unreached", "bot_blocked", 4)
    assert len(await office.queued()) == 4


@pytest.mark.parametrize(
    ("hours", "by_user", "phone", "way"),
    [
        (24 * 8, True, PHONE, "template_user"),
        (24 * 8, False, PHONE, "template_phone"),
        (24 * 366, True, PHONE, "template_phone"),
        (24 * 8, True, "", "template_user"),
    ],
)
async def test_where_the_window_is_closed_a_template_goes(
    office: Office, hours: float, by_user: bool, phone: str, way: str
) -> None:
    await office.template(by_user=by_user)
    await office.take(4, at=office.clock.now - timedelta(hours=2), phone=phone)
    await office.person(hours=hours, phone=phone, bound=True)
    await office.take(2, phone=phone)
    assert [row.way for row in await office.queued()] == [way]


async def test_with_nobody_known_the_phone_of_the_dossier_gets_the_template(office: Office) -> None:
    await office.template()
    await office.take(reason="Lý do riêng")
    [row] = await office.queued()
    assert row.way == "template_phone"
    assert "Lý do riêng" not in str(row.body)
    async with office.runtime.database.reading() as session:
        to = await session.get(ContactRow, row.contact_id)
    assert to is not None
    assert to.kind == "phone"


@pytest.mark.parametrize(
    ("phone", "template", "reason"), [("", False, "nobody_known"), (PHONE, False, "no_way"), ("", True, "nobody_known")]
)
async def test_where_no_way_is_open_the_reason_stands(office: Office, phone: str, template: bool, reason: str) -> None:
    if template:
        await office.template()
    await office.take(phone=phone)
    notice = await office.notice()
    assert (notice.state, notice.reason, await office.queued()) == ("unreached", reason, [])


async def test_a_template_that_the_notice_does_not_fill_is_left_out(office: Office) -> None:
    await office.template()
    await office.choose(Kind.ACCEPTED, {"ma": "{{mã bưu gửi}}", "tt": "x"})
    await office.take()
    notice = await office.notice()
    assert (notice.state, notice.reason) == ("unreached", "template_unfit")


async def test_each_person_is_told_once_by_their_best_chat(office: Office) -> None:
    await office.take(4, at=office.clock.now - timedelta(hours=2))
    mine = await office.person()
    await office.person("t1", account="bot")
    spouse = await office.person("u2", phone="", bound=True)
    await office.take(2)
    assert {row.contact_id for row in await office.queued()} == {mine.id, spouse.id}
    assert len(await office.queued()) == 2


async def couple(office: Office) -> tuple[ContactRow, ContactRow]:
    """Return two people who are told of one dossier, the first of them first, with a template chosen."""
    await office.template()
    await office.take(4, at=office.clock.now - timedelta(hours=2))
    mine = await office.person(hours=1)
    spouse = await office.person("u2", phone="", hours=2, bound=True)
    await office.take(2)
    assert [row.contact_id for row in await office.queued()] == [mine.id, spouse.id]
    return mine, spouse


async def test_who_was_told_beside_the_first_is_not_told_again_when_the_first_is_refused(office: Office) -> None:
    mine, spouse = await couple(office)
    await office.change(spouse.id, state="sent")
    await office.change(mine.id, state="failed", reason="reply_window_closed")
    notice = await office.notice()
    assert (notice.state, notice.way, notice.contact_id) == ("told", "chat", spouse.id)
    assert notice.told_at is not None
    assert len(await office.queued()) == 2, "no chat twice, and no template beside a chat"


@pytest.mark.parametrize("end", ["sent", "failed"])
async def test_a_message_beside_the_first_that_is_on_its_way_counts_and_if_refused_others_follow(
    office: Office, end: str
) -> None:
    mine, spouse = await couple(office)
    await office.change(mine.id, state="failed", reason="reply_window_closed")
    notice = await office.notice()
    assert (notice.state, notice.contact_id, len(await office.queued())) == ("leaving", spouse.id, 2)
    if end == "sent":
        await office.arrive()
        assert (await office.notice()).state == "told"
        return
    await office.change(spouse.id, state="failed", reason="recipient_not_found")
    assert [row.way for row in await office.queued()] == ["chat", "chat", "template_user"]
    assert [row.state for row in await office.queued()] == ["cancelled", "cancelled", "queued"]


async def test_who_was_refused_beside_the_first_is_tried_by_what_is_left(office: Office) -> None:
    mine, spouse = await couple(office)
    await office.change(spouse.id, state="failed", reason="recipient_not_found")
    await office.change(mine.id, state="failed", reason="reply_window_closed")
    last = (await office.queued())[-1]
    assert (last.way, last.contact_id) == ("template_user", mine.id)
    assert (await office.notice()).tried == [f"chat:{mine.id}", f"chat:{spouse.id}"]


async def test_one_in_doubt_beside_the_first_is_not_written_to_again(office: Office) -> None:
    mine, spouse = await couple(office)
    await office.change(spouse.id, state="failed", reason="outcome_unknown")
    await office.change(mine.id, state="failed", reason="outcome_unknown")
    notice = await office.notice()
    assert (notice.state, notice.reason, len(await office.queued())) == ("unreached", "outcome_unknown", 2)


async def test_who_is_asleep_when_another_is_told_is_told_in_the_morning(office: Office) -> None:
    await office.take(4, at=office.clock.now - timedelta(hours=2))
    spouse = await office.person("u2", phone="", bound=True)
    office.clock.forward(hours=14)
    awake = await office.person(hours=0.1)
    await office.take(2)
    rows = {row.contact_id: row for row in await office.queued()}
    now, at = rows[awake.id].next_attempt_at, rows[spouse.id].next_attempt_at
    assert now is not None
    assert at is not None
    assert now <= office.clock.now < at
    assert to_local(at).hour == 7
    notice = await office.notice()
    assert notice.others == {f"chat:{spouse.id}": rows[spouse.id].id}


async def test_a_fee_that_two_sources_time_differently_is_told_once(office: Office) -> None:
    await office.person()
    now = office.clock.now
    midnight = now.replace(hour=17) - timedelta(days=1)
    reports = [(6, midnight), (4, now - timedelta(hours=1)), (6, now)]
    for order in (reports, [reports[1], reports[2], reports[0]]):
        for status, at in order:
            await office.take(status, at=at, fee=150000)
        await office.arrive()
    assert len(await office.queued()) == 1
    assert sorted((row.kind, row.state) for row in await office.notices()) == [("fee", "silent"), ("fee", "told")]


async def test_linked_chats_are_one_person_and_telegram_tells_where_zalo_may_not(office: Office) -> None:
    mine = await office.person(hours=24 * 8)
    other = await office.person("t1", account="bot", phone="")
    async with office.runtime.units_of_work() as uow:
        for one in (mine, other):
            row = await uow.session.get(ContactRow, one.id)
            assert row is not None
            row.person_id = "person"
    await office.take()
    assert [(row.contact_id, row.way) for row in await office.queued()] == [(other.id, "chat")]
    assert (await office.notice()).way == "telegram"


async def test_what_was_to_be_told_to_somebody_who_is_forgotten_ends(office: Office) -> None:
    person = await office.person()
    await office.template()
    await office.take()
    async with office.runtime.units_of_work() as uow:
        row = await uow.session.get(ContactRow, person.id)
        assert row is not None
        await contact_actions.erase(uow, row, 0)
    await tell_dossiers(office.runtime)
    notice = await office.notice()
    assert (notice.state, notice.reason, len(await office.queued())) == ("unreached", "erased", 1)


@pytest.mark.parametrize(
    ("status", "facts", "words"),
    [
        (1, {"online": True}, "nộp trực tuyến"),
        (3, {"reason": "Không đúng thẩm quyền"}, "Không đúng thẩm quyền"),
        (5, {"papers": "Giấy chứng sinh; Căn cước"}, "- Giấy chứng sinh\n- Căn cước"),
        (8, {"reason": "Người nộp yêu cầu"}, "dừng giải quyết"),
        (9, {"appointment_place": "Bàn số 3"}, "Nhận tại: Bàn số 3"),
        (10, {}, "đánh giá"),
    ],
)
async def test_every_status_has_its_words(office: Office, status: int, facts: dict[str, Any], words: str) -> None:
    await office.person()
    await office.take(status, **facts)
    [row] = await office.queued()
    assert words in row.text
    assert "Nguyễn Văn Mẫu" not in row.text


async def test_a_posted_result_and_a_put_off_date_have_their_words(office: Office) -> None:
    await office.person()
    due = office.clock.now + timedelta(days=1)
    await office.take(2, at=office.clock.now - timedelta(hours=3), due_at=due)
    await office.take(4, at=office.clock.now - timedelta(hours=2), due_at=due + timedelta(days=2))
    await office.take(9, post_code="EB000000001VN")
    texts = [row.text for row in await office.queued()]
    assert len(texts) == 3
    assert "Ngày hẹn cũ: 24/11/2026" in texts[1]
    assert "Ngày hẹn mới: 26/11/2026" in texts[1]
    assert "EB000000001VN" in texts[2]
    last = {(row.kind, row.state, row.reason) for row in (await office.notices())[2:]}
    assert last == {("ready", "silent", "overtaken"), ("posted", "leaving", "")}


async def test_a_fee_comes_with_its_code_when_the_unit_has_an_account(office: Office) -> None:
    await office.person()
    await office.settings(bin="970403", account="0011 0123 45678", name="UBND XA THANH OAI", label="Ngân hàng mẫu")
    await office.take(6, fee=150000)
    [row] = await office.queued()
    assert "150.000 đồng" in row.text
    assert "0011012345678" in row.text
    assert row.body["media"]["kind"] == "image"
    notice = await office.notice()
    assert (await office.runtime.blobs.get(f"{notice.id[:4]}/{notice.id}")).startswith(b"\x89PNG")


async def test_a_code_that_nobody_gets_is_not_kept(office: Office) -> None:
    await office.settings(bin="970403", account="0011012345678", name="UBND XA THANH OAI")
    await office.take(6, fee=150000)
    notice = await office.notice()
    assert notice.state == "unreached"
    with pytest.raises(FileNotFoundError):
        await office.runtime.blobs.get(f"{notice.id[:4]}/{notice.id}")


async def test_what_a_unit_does_not_tell_stays_silent(office: Office) -> None:
    await office.person()
    await office.settings(kinds=["ready"])
    await office.take(2)
    notice = await office.notice()
    assert (notice.state, notice.reason) == ("silent", "not_chosen")


async def test_at_night_people_are_left_to_sleep(office: Office) -> None:
    await office.template()
    await office.person(hours=1)
    office.clock.forward(hours=14)
    await office.take()
    assert await office.queued() == []
    notice = await office.notice()
    assert notice.next_at is not None
    office.clock.forward(hours=9)
    await tell_dossiers(office.runtime)
    assert len(await office.queued()) == 1


async def test_the_rating_buttons_of_a_returned_result_can_be_answered_by_number(office: Office) -> None:
    person = await office.person()
    await office.take(10)
    async with office.runtime.database.reading() as session:
        conversation = await session.get(ConversationRow, person.id)
    assert conversation is not None
    assert conversation.data["buttons"][0] == f"#danhgiahs {CODE} 3"


async def test_nothing_is_told_twice_whatever_is_told_again(office: Office) -> None:
    await office.person()
    at = office.clock.now
    for _ in range(3):
        await office.take(2, at=at)
        await office.arrive()
    assert len(await office.queued()) == 1
    await office.take(2, at=at, reason="Ghi chú thêm")
    assert len(await office.queued()) == 1


async def test_a_worker_that_dies_holding_a_notice_leaves_it_to_another(office: Office) -> None:
    await office.person()
    news = News(CODE, Status(2), office.clock.now, "economy", "/commune/economy/", {}, "", PHONE)
    async with office.runtime.units_of_work() as uow:
        await take_in(uow, office.runtime.box, [news], "import:1")
    async with office.runtime.units_of_work() as uow:
        assert len(await dossier_notices.claim(uow.session, "dead", uow.now, 60, 10)) == 1
    assert await tell_dossiers(office.runtime) == 0
    office.clock.forward(seconds=61)
    assert await tell_dossiers(office.runtime) == 1
    assert len(await office.queued()) == 1


async def test_one_of_which_nobody_knows_whether_it_arrived_goes_no_other_way(office: Office) -> None:
    await office.template()
    await office.person()
    await office.take()
    await office.refuse("outcome_unknown")
    notice = await office.notice()
    assert (notice.state, notice.reason, len(await office.queued())) == ("unreached", "outcome_unknown", 1)
    row = (await office.queued())[0]
    async with office.runtime.units_of_work() as uow:
        current = await outbox.row(uow.session, row.id)
        assert current is not None
        await outgoing.late(uow, current, "z1")
    assert (await office.notice()).state == "told"


async def test_the_sweeper_takes_in_what_became_of_messages(office: Office) -> None:
    await office.person()
    await office.take()
    row = (await office.queued())[0]
    async with office.runtime.units_of_work() as uow:
        current = await outbox.row(uow.session, row.id)
        assert current is not None
        current.state, current.reason = "expired", "too_old"
    assert await tell_dossiers(office.runtime) == 1
    notice = await office.notice()
    assert (notice.state, notice.reason) == ("unreached", "too_old")

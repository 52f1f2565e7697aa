"""Loading the demo gives a commune that has worked for five weeks, once, on both databases."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlmodel import col, select

from bot.actions.case_clock import deadline_of, to_calendar
from bot.clock import to_local
from bot.demo.load import PASSWORD, load
from bot.domain.access import Permission
from bot.domain.case import CaseState
from bot.domain.dossier import Status
from bot.passwords import verify_password
from bot.runtime import Runtime
from bot.store import accounts, cases, credentials, files, messages, staff, units
from bot.store.audit import AuditRow
from bot.store.cases import AnswerRow, CaseEventRow, CaseRow
from bot.store.contacts import ContactRow
from bot.store.dossier_notices import DossierNoticeRow
from bot.store.dossiers import DossierRow
from bot.store.inbox import InboxRow
from bot.store.marks import MarkRow, TopicRow
from bot.store.messages import AttachmentRow, MessageRow
from bot.store.outbox import OutboxRow
from tests.runtime_fixtures import Clock


@dataclass
class Loaded:
    cases: list[CaseRow]
    events: list[CaseEventRow]
    messages: list[MessageRow]
    outbox: list[OutboxRow]
    attachments: list[AttachmentRow]
    answers: list[AnswerRow]
    contacts: list[ContactRow]
    audit: list[AuditRow]


async def everything(runtime: Runtime) -> Loaded:
    async with runtime.database.reading() as session:
        return Loaded(
            list((await session.exec(select(CaseRow))).all()),
            list((await session.exec(select(CaseEventRow))).all()),
            list((await session.exec(select(MessageRow))).all()),
            list((await session.exec(select(OutboxRow))).all()),
            list((await session.exec(select(AttachmentRow))).all()),
            list((await session.exec(select(AnswerRow))).all()),
            list((await session.exec(select(ContactRow))).all()),
            list((await session.exec(select(AuditRow))).all()),
        )


async def test_forty_reports_stand_in_every_state_and_nothing_lies_in_the_future(
    runtime: Runtime, clock: Clock
) -> None:
    demo = await load(runtime)
    assert demo.created
    found = await everything(runtime)
    assert len(found.cases) == 40
    # Opening a case routes it at once and approving sends it within seconds: nothing stays in these two.
    passing = {CaseState.NEW, CaseState.APPROVED}
    assert {CaseState(case.state) for case in found.cases} == set(CaseState) - passing
    closed = Counter(case.rating for case in found.cases if case.state == "closed")
    assert set(closed) == {None, 1, 2, 3}
    overdue = [c for c in found.cases if c.state in cases.OPEN and c.due_at is not None and c.due_at < clock.now]
    assert {c.state for c in overdue} >= {"in_progress", "drafted"}
    assert 4 <= len(overdue) <= 9
    assert len([c for c in found.cases if c.restricted]) == 2
    assert len({c.unit_id for c in found.cases}) >= 6
    moments = [
        *(c.created_at for c in found.cases),
        *(c.updated_at for c in found.cases),
        *(e.at for e in found.events),
        *(m.occurred_at for m in found.messages),
        *(o.seen_at or o.delivered_at for o in found.outbox),
        *(a.at for a in found.audit),
    ]
    assert max(m for m in moments if m is not None) < clock.now
    assert min(c.created_at for c in found.cases) > clock.now - timedelta(days=45)

    await everything_said_has_arrived(runtime, found)
    await photos_can_be_read(runtime, found)
    await every_deadline_explains_itself(runtime, found)
    the_audit_log_does_not_name_who_reported_conduct(found)
    await a_joined_report_got_the_answer_of_the_other(runtime, found)
    await all_accounts_are_known_with_tokens_that_last(runtime)


async def everything_said_has_arrived(runtime: Runtime, found: Loaded) -> None:
    assert {row.state for row in found.outbox} == {"delivered", "seen"}
    assert all(row.provider_id and row.sent_at and row.delivered_at and row.lease is None for row in found.outbox)
    assert all(m.provider_id for m in found.messages)
    assert len({m.provider_id for m in found.messages}) == len(found.messages)
    assert {c.external_id[:15] for c in found.contacts} == {"900000000000000"}
    assert all(c.following and c.name and c.profile_at for c in found.contacts)
    assert not any(c.human_until and c.human_until > runtime.now() for c in found.contacts)
    assert {a.state for a in found.answers} == {"sent", "submitted", "sent_back"}
    async with runtime.database.reading() as session:
        assert (await session.exec(select(InboxRow))).all() == []


async def photos_can_be_read(runtime: Runtime, found: Loaded) -> None:
    assert len({a.case_id for a in found.attachments}) >= 12
    assert all(a.state == "stored" and a.case_id and a.file_id for a in found.attachments)
    async with runtime.database.reading() as session:
        rows = await files.files(session, [a.file_id for a in found.attachments if a.file_id])
    assert len(rows) == len(found.attachments)
    assert (await runtime.blobs.get(rows[0].key))[:2] == b"\xff\xd8"
    assert rows[0].thumbnail_key is not None
    assert (await runtime.blobs.get(rows[0].thumbnail_key))[:2] == b"\xff\xd8"


async def every_deadline_explains_itself(runtime: Runtime, found: Loaded) -> None:
    for case in found.cases:
        async with runtime.database.reading() as session:
            unit = await units.unit(session, case.unit_id)
            assert unit is not None
            rows = await units.calendar(session, unit)
        assert rows is not None
        deadline = deadline_of(case, to_calendar(*rows))
        assert deadline.due_at == case.due_at, case.text
        if case.state == "waiting_for_citizen":
            assert case.due_at is None
            assert case.pauses[-1][1] is None
        else:
            assert sum(span.minutes for span in deadline.spans) == case.budget
        assert case.routing


def the_audit_log_does_not_name_who_reported_conduct(found: Loaded) -> None:
    restricted = {f"case:{case.id}" for case in found.cases if case.restricted}
    deeds = [row for row in found.audit if row.subject in restricted and row.actor_kind == "citizen"]
    assert len(deeds) >= 4
    assert {(row.actor_id, row.actor_name) for row in deeds} == {(None, "")}


async def a_joined_report_got_the_answer_of_the_other(runtime: Runtime, found: Loaded) -> None:
    joined = [c for c in found.cases if c.merged_into_id and c.answered_at]
    assert len(joined) == 1
    async with runtime.database.reading() as session:
        said = await messages.of_case(session, joined[0].id)
    assert any("9 m³" in m.text for m in said)


async def all_accounts_are_known_with_tokens_that_last(runtime: Runtime) -> None:
    async with runtime.database.reading() as session:
        known = {(a.provider, a.kind) for a in await accounts.all_accounts(session)}
    assert known == {("zalo", "state"), ("zalo", "business"), ("telegram", "")}
    state = runtime.accounts.get("zalo", "2222333344445555666")
    assert state is not None
    assert runtime.accounts.webhook_keys("zalo")["2222333344445555777"] == "demo-oa-secret-business"
    async with runtime.database.reading() as session:
        secret = await credentials.credential(session, state.id)
    assert secret is not None
    assert secret.access_token is not None
    assert runtime.box.open(secret.access_token) == "demo-access-state"
    assert secret.expires_at is not None
    assert secret.expires_at > runtime.now() + timedelta(hours=24)


async def test_a_second_load_changes_nothing_and_prints_the_sign_ins_that_still_work(runtime: Runtime) -> None:
    first = await load(runtime)
    before = await everything(runtime)
    second = await load(runtime)
    assert (second.created, second.people) == (False, first.people)
    assert await everything(runtime) == before
    await people_may_do_what_their_role_says(runtime, [p.email.split("@")[0] for p in first.people])
    async with runtime.units_of_work() as uow:
        row = await staff.by_email(uow.session, "lanh-dao@thanhoai.example")
        assert row is not None
        row.password = "changed"
    assert {p.email for p in first.people} - {p.email for p in (await load(runtime)).people} == {
        "lanh-dao@thanhoai.example"
    }


async def people_may_do_what_their_role_says(runtime: Runtime, printed: list[str]) -> None:
    assert printed == ["quan-tri", "lanh-dao", "truong-phong", "can-bo", "mot-cua", "van-hoa", "duyet-tin", "thanh-tra"]
    async with runtime.database.reading() as session:
        people = {p.email.split("@")[0]: p for p in await staff.all_staff(session)}
        grants = {key: await staff.grants(session, row.id) for key, row in people.items()}
        tree = {unit.name: unit.path for unit in await units.all_units(session)}
    assert await verify_password(people["can-bo"].password, PASSWORD)
    economy, commune = tree["Phòng Kinh tế"], tree["Xã Thanh Oai"]
    assert grants["quan-tri"].anywhere(Permission.ADMIN)
    assert grants["truong-phong"].over(Permission.CASE_APPROVE, economy)
    assert not grants["truong-phong"].over(Permission.CASE_APPROVE, tree["Công an xã"])
    assert not grants["can-bo"].anywhere(Permission.CASE_APPROVE)
    assert [key for key, held in grants.items() if held.sees_restricted(commune)] == ["thanh-tra"]


async def test_it_loads_amid_tet_and_after_new_year(runtime: Runtime, clock: Clock) -> None:
    clock.now = datetime(2027, 2, 8, 3, 0, tzinfo=UTC)
    await load(runtime)
    found = await everything(runtime)
    assert len(found.cases) == 40
    assert max(e.at for e in found.events) < clock.now
    async with runtime.database.reading() as session:
        commune = next(u for u in await units.all_units(session) if u.kind == "commune")
        rows = await units.calendar(session, commune)
    assert rows is not None
    assert rows[0].confirmed_years == [2026, 2027]
    assert {day.day.year for day in rows[1]} == {2026, 2027, 2028}
    assert to_local(clock.now).date() in {day.day for day in rows[1] if not day.works}


async def test_some_people_have_chosen_what_they_get(runtime: Runtime) -> None:
    await load(runtime)
    async with runtime.database.reading() as session:
        marks = (await session.exec(select(MarkRow))).all()
        topics = (await session.exec(select(TopicRow))).all()
        stopped = (await session.exec(select(ContactRow).where(col(ContactRow.stopped_at).is_not(None)))).all()
    assert {(mark.kind, mark.by) for mark in marks} == {
        ("area", "self"), ("area", "staff"), ("topic", "self"), ("purpose", "self"), ("tag", "staff"),
    }  # fmt: skip
    assert [topic.advert for topic in sorted(topics, key=lambda topic: topic.position)] == [False] * 4 + [True]
    assert len(stopped) == 1


async def test_dossiers_stand_in_every_status_and_nobody_is_told_of_the_past(runtime: Runtime, clock: Clock) -> None:
    await load(runtime)
    async with runtime.database.reading() as session:
        rows = (await session.exec(select(DossierRow))).all()
        assert (await session.exec(select(DossierNoticeRow))).all() == []
    assert len(rows) == 25
    assert {row.status for row in rows} == set(Status)
    assert all(row.procedure_name and row.field for row in rows)
    assert {row.outcome for row in rows} == {"early", "on_time", "late", ""}
    phones = Counter(runtime.box.open(row.phone) for row in rows if row.phone)
    assert phones == {"84900000001": 5, "84900000002": 4}
    assert [row.odd for row in rows if row.odd] == []
    assert all(row.status_at < clock.now for row in rows)
    assert [row for row in rows if not row.finished_at and row.due_at and row.due_at < clock.now], "some are late"

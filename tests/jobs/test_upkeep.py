"""The jobs that keep things moving: leases, reminders, closing, forgetting, names, tokens."""

import contextlib
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from bot.queue import JOBS
from bot.runtime import Runtime
from bot.store import cases, credentials, health
from bot.store.accounts import AccountRow
from bot.store.announcements import AnnouncementRow, RunRow
from bot.store.arrivals import store_arrivals
from bot.store.broadcasts import BroadcastRow, DeliveryRow
from bot.store.cases import CaseEventRow
from bot.store.credentials import CredentialRow
from bot.store.files import FileRow
from bot.store.inbox import InboxRow
from bot.store.outbox import OutboxRow
from bot.store.recipients import RecipientListRow
from jobs import worker
from jobs.close_answered import close_answered
from jobs.forget import forget
from jobs.remind_deadlines import remind_deadlines
from jobs.requeue_stuck import requeue_stuck
from tests import commune
from tests.bot.store.test_inbox import arrival
from tests.runtime_fixtures import Clock
from tests.talk import Official, Talk


@pytest.fixture
async def talk(runtime: Runtime, clock: Clock) -> Talk:
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
    return Talk(runtime, clock)


async def escalations(talk: Talk) -> list[int]:
    async with talk.runtime.database.reading() as session:
        rows = (await session.exec(select(CaseEventRow).where(CaseEventRow.kind == "escalated"))).all()
    return [row.data["percent"] for row in sorted(rows, key=lambda row: row.at)]


async def test_the_ladder_is_climbed_once_a_step_and_in_working_hours_only(talk: Talk) -> None:
    await talk.report()
    assert await remind_deadlines(talk.runtime) == 0
    talk.clock.forward(days=4)
    assert await remind_deadlines(talk.runtime) == 1
    assert await remind_deadlines(talk.runtime) == 0
    talk.clock.forward(hours=15)
    talk.clock.forward(days=3)
    assert await remind_deadlines(talk.runtime) == 0, "it is night"
    talk.clock.forward(hours=10)
    await remind_deadlines(talk.runtime)
    assert await escalations(talk) == [80, 100]


async def test_an_answered_case_that_nobody_rates_is_closed(talk: Talk) -> None:
    case = await talk.report()
    await Official(talk, "official").answer()
    await Official(talk, "head").approve()
    await talk.sent()
    assert await close_answered(talk.runtime) == 0
    talk.clock.forward(days=8)
    assert await close_answered(talk.runtime) == 1
    assert await close_answered(talk.runtime) == 0
    async with talk.runtime.database.reading() as session:
        closed = await cases.case(session, case.id)
    assert closed is not None
    assert closed.state == "closed"


async def test_what_a_dead_worker_held_is_given_back(talk: Talk) -> None:
    from bot.store import inbox, outbox

    await talk.follow()
    await store_arrivals(talk.runtime.database, [arrival("k", received_at=talk.clock.now, account="none")])
    async with talk.runtime.units_of_work() as uow:
        await inbox.claim(uow.session, "dead", uow.now, 60, 10)
        await outbox.claim(uow.session, "dead", uow.now, 60, 10)
    assert await requeue_stuck(talk.runtime) == 0
    talk.clock.forward(minutes=2)
    assert await requeue_stuck(talk.runtime) == 2
    assert await requeue_stuck(talk.runtime) == 0
    async with talk.runtime.database.reading() as session:
        assert {r.state for r in (await session.exec(select(InboxRow))).all()} == {"new"}
        assert {r.state for r in (await session.exec(select(OutboxRow))).all()} == {"unknown"}


async def test_raw_webhooks_are_forgotten_after_their_time(talk: Talk) -> None:
    from bot.store import inbox

    await store_arrivals(talk.runtime.database, [arrival("k", received_at=talk.clock.now)])
    async with talk.runtime.units_of_work() as uow:
        [row] = await inbox.claim(uow.session, "x", uow.now, 60, 10)
        assert row.id is not None
        await inbox.finish(uow.session, row.id, "x", uow.now)
    assert await forget(talk.runtime) == 0
    talk.clock.forward(days=91)
    assert await forget(talk.runtime) >= 1
    async with talk.runtime.database.reading() as session:
        assert (await session.exec(select(InboxRow))).all() == []


async def test_the_bytes_of_what_was_discarded_are_deleted(talk: Talk) -> None:
    from bot.store.messages import AttachmentRow

    await talk.photo()
    await talk.runtime.blobs.put("aa/bb", b"x")
    async with talk.runtime.units_of_work() as uow:
        uow.session.add(
            FileRow(id="f", key="aa/bb", media_type="image/jpeg", name="a", size=1, sha256="0", created_at=uow.now)
        )
        await uow.session.flush()
        row = (await uow.session.exec(select(AttachmentRow))).one()
        row.state, row.file_id = "discarded", "f"
    await forget(talk.runtime)
    with pytest.raises(FileNotFoundError):
        await talk.runtime.blobs.get("aa/bb")


async def test_lists_and_what_they_filled_in_are_forgotten_once_nothing_needs_them(talk: Talk) -> None:
    runtime = talk.runtime
    async with runtime.units_of_work() as uow:
        about: dict[str, Any] = {"unit_id": "commune", "created_at": uow.now}
        for list_id in ("used", "free"):
            uow.session.add(
                RecipientListRow(id=list_id, name=list_id, file_name="a", state="ready", made_by="official", **about)
            )
        uow.session.add(
            AnnouncementRow(
                id="a", audience={"list_id": "used"}, created_by="official", updated_at=uow.now, **about
            )
        )  # fmt: skip
        row = BroadcastRow(account_id="account", message={}, state="finished", finished_at=uow.now, total=3000, **about)
        uow.session.add(row)
        await uow.session.flush()
        number = row.id
        assert number is not None
        for n in (1, 2, 3000):
            values = {"Họ tên": "Ví Dụ"} if n > 1 else None
            sealed = runtime.box.seal("84900000001").hex() if n == 3000 else "1"
            uow.session.add(DeliveryRow(broadcast_id=number, n=n, recipient=str(n), address=sealed, merged=values))
    talk.clock.forward(days=89)
    await forget(runtime)
    assert await kept(runtime) == (["free", "used"], 2)
    talk.clock.forward(days=2)
    await forget(runtime)
    assert await kept(runtime) == (["used"], 0)
    async with runtime.database.reading() as session:
        assert (await session.exec(select(DeliveryRow.address).order_by(col(DeliveryRow.n)))).all() == ["1", "1", ""]


async def test_bytes_that_belong_to_nothing_are_swept_after_a_day(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime, left = talk.runtime, {"announced/lost", "lists/lost", "lists/ready", "announced/replaced"}
    kept = {"announced/used", "announced/used.thumb", "announced/sent", "lists/open", "aa/bb"}
    async with runtime.units_of_work() as uow:
        about: dict[str, Any] = {"unit_id": "commune", "created_at": uow.now}
        for name in ("used", "sent", "replaced"):
            picture: dict[str, Any] = {"media_type": "image/jpeg", "name": "a", "size": 1, "sha256": "0"}
            uow.session.add(FileRow(id=name, key=f"announced/{name}", created_at=uow.now, **picture))
        await uow.session.flush()
        for state in ("ready", "checking"):
            list_id = {"checking": "open"}.get(state, state)
            uow.session.add(
                RecipientListRow(id=list_id, name="l", file_name="a", state=state, made_by="official", **about)
            )
        made: dict[str, Any] = {"created_by": "official", "updated_at": uow.now}
        uow.session.add(AnnouncementRow(id="a", file_id="used", **made, **about))
        media = {"media": {"file_id": "sent", "kind": "image", "name": "a"}}
        uow.session.add(BroadcastRow(account_id="account", message=media, state="finished", **about))
    for key in left | kept:
        await runtime.blobs.put(key, b"x")
    await forget(runtime)
    assert await still_there(runtime, left | kept) == left | kept
    real = runtime.blobs.old
    # Blobs know the time of the disk alone.
    monkeypatch.setattr(runtime.blobs, "old", lambda folder, before: real(folder, before + timedelta(days=3650)))
    talk.clock.forward(days=2)
    await forget(runtime)
    assert await still_there(runtime, left | kept) == kept


async def still_there(runtime: Runtime, keys: set[str]) -> set[str]:
    found = set()
    for key in keys:
        with contextlib.suppress(FileNotFoundError):
            await runtime.blobs.get(key)
            found.add(key)
    return found


async def test_phones_of_those_long_written_to_are_blanked_also_without_values(talk: Talk) -> None:
    runtime = talk.runtime
    async with runtime.units_of_work() as uow:
        about: dict[str, Any] = {"unit_id": "commune", "account_id": "account", "message": {}, "created_at": uow.now}
        for way, state in (("template_phone", "finished"), ("none", "finished"), ("template_phone", "running")):
            row = BroadcastRow(way=way, state=state, finished_at=uow.now, total=1, **about)
            uow.session.add(row)
            await uow.session.flush()
            assert row.id is not None
            sealed = runtime.box.seal("84900000001").hex()
            uow.session.add(DeliveryRow(broadcast_id=row.id, n=1, recipient="phone:x", address=sealed))
    talk.clock.forward(days=91)
    await forget(runtime)
    async with runtime.database.reading() as session:
        left = (await session.exec(select(DeliveryRow.address).order_by(col(DeliveryRow.broadcast_id)))).all()
    assert [bool(each) for each in left] == [False, False, True]


async def test_a_list_is_kept_from_its_last_use_on(talk: Talk) -> None:
    runtime = talk.runtime
    async with runtime.units_of_work() as uow:
        about: dict[str, Any] = {"unit_id": "commune", "created_at": uow.now}
        uow.session.add(RecipientListRow(id="l", name="l", file_name="a", state="ready", made_by="official", **about))
        row = AnnouncementRow(
            id="a", audience={"list_id": "l"}, created_by="official", updated_at=uow.now, state="ended", **about
        )
        row.ended_at = uow.now
        uow.session.add(row)
    talk.clock.forward(days=60)
    async with runtime.units_of_work() as uow:
        made: dict[str, Any] = {"due_at": uow.now, "created_at": uow.now, "progress_at": uow.now, "state": "ended"}
        uow.session.add(RunRow(id="r", announcement_id="a", number=1, **made))
    talk.clock.forward(days=60)
    await forget(runtime)
    assert await kept(runtime) == (["l"], 0)
    talk.clock.forward(days=31)
    await forget(runtime)
    assert await kept(runtime) == ([], 0)


async def kept(runtime: Runtime) -> tuple[list[str], int]:
    """Return which lists there are, and how many deliveries hold values."""
    async with runtime.database.reading() as session:
        rows = (await session.exec(select(RecipientListRow))).all()
        values = (await session.exec(select(DeliveryRow.merged))).all()
    return sorted(row.id for row in rows if row.state != "removing"), sum(1 for each in values if each)


@pytest.mark.parametrize("job", [job.name for job in JOBS])
async def test_every_job_runs_twice_on_an_empty_database_without_harm(runtime: Runtime, job: str) -> None:
    for _ in range(2):
        assert await worker.run_periodic(runtime, job) == 0
    async with runtime.database.reading() as session:
        run = (await health.job_runs(session))[job]
    assert run.error == ""
    assert run.finished_at is not None


async def test_a_job_that_breaks_is_named_on_the_health_page(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_runtime: Runtime) -> int:
        message = "disk on fire"
        raise OSError(message)

    monkeypatch.setitem(worker.REGISTERED, "forget", broken)
    await worker.run_periodic(runtime, "forget")
    async with runtime.database.reading() as session:
        run = (await health.job_runs(session))["forget"]
    assert "disk on fire" in run.error


async def test_a_stopped_account_stays_stopped_until_a_person_acts(talk: Talk) -> None:
    from bot.actions import accounts
    from bot.vault import stop_account

    async with talk.runtime.units_of_work() as uow:
        await stop_account(uow, "account", "oa_blocked", "-221", uow.now)
    async with talk.runtime.units_of_work() as uow:
        row = await uow.session.get(AccountRow, "account")
        assert row is not None
        assert (row.state, row.stopped_reason) == ("stopped", "oa_blocked")
        await accounts.restart(uow, "account")
    async with talk.runtime.database.reading() as session:
        row = await session.get(AccountRow, "account")
    assert row is not None
    assert row.state == "active"


async def test_a_lone_process_that_starts_takes_over_what_the_one_before_held(talk: Talk) -> None:
    """Fault found by tests/chaos: for a minute nothing was sent, since a dead process held the right to renew."""
    async with talk.runtime.units_of_work() as uow:
        uow.session.add(CredentialRow(account_id="account"))
        await uow.session.flush()
        assert await credentials.acquire(uow.session, "account", "dead", uow.now, 60)
    async with worker.working(talk.runtime, alone=True), talk.runtime.units_of_work() as uow:
        assert await credentials.acquire(uow.session, "account", "mine", uow.now, 60)

"""Importing followers: all whom the provider's lists show, nobody twice, whatever breaks, stops or waits meanwhile."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from bot.actions import accounts as account_verbs
from bot.actions import contacts, follower_imports
from bot.actions.follower_imports import position
from bot.channels.rate_limit import ANSWER, BROADCAST
from bot.config import QueueSettings, Settings
from bot.errors import InvalidInputError, NotFoundError
from bot.health import follower_imports as health
from bot.health.line import Light
from bot.runtime import Runtime, opened, ref
from bot.store import accounts, credentials
from bot.store.audit import AuditRow
from bot.store.contacts import ContactRow
from bot.store.credentials import CredentialRow
from bot.store.follower_imports import FollowerImportRow
from jobs.fetch_profiles import fetch_profiles
from jobs.import_followers import import_followers
from tests import commune
from tests.fakes.scripted_server import Answer, Asked, ScriptedServer
from tests.jobs.test_send_broadcasts import account
from tests.runtime_fixtures import Clock, with_zalo

READABLE = 10_001
LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True)
class Person:
    """A follower; `heard` is when they interacted last, or never as far as the lists show."""

    user_id: str
    tag: str = ""
    heard: datetime | None = None


@dataclass
class Lists:
    """A provider that lists followers as Zalo does; `judge` may answer otherwise."""

    people: list[Person] = field(default_factory=list)
    judge: Callable[[Asked], Answer | None] = lambda _asked: None
    pages: list[dict[str, Any]] = field(default_factory=list)
    kept: dict[tuple[str | None, str | None, int], list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.server = ScriptedServer(self._answer)

    def _answer(self, asked: Asked) -> Answer:
        special = self.judge(asked)
        if special is not None:
            return special
        if asked.path == "/v2.0/oa/tag/gettagsofoa":
            return Answer({"error": 0, "data": sorted({person.tag for person in self.people if person.tag})})
        if asked.path == "/v3.0/oa/user/detail":
            detail = {"display_name": "Người Thử Nghiệm", "user_is_follower": True}
            return Answer({"error": 0, "data": detail | {"user_last_interaction_date": "20/11/2026"}})
        assert asked.path == "/v3.0/oa/user/getlist"
        self.pages.append(asked.data)
        return self._page(asked.data)

    def _page(self, data: dict[str, Any]) -> Answer:
        offset, count = data["offset"], data["count"]
        if offset > 9951 or count > 50:
            return Answer({"error": -210, "message": "over limit"})
        listed = self._listed(data.get("tag_name"), data.get("last_interaction_period"))
        page = [{"user_id": user_id} for user_id in listed[offset : offset + count]]
        return Answer({"error": 0, "data": {"total": len(listed), "count": len(page), "users": page}})

    def _listed(self, tag: str | None, period: str | None) -> list[str]:
        key = (tag, period, len(self.people))
        if key not in self.kept:
            first, last = (period or ":").split(":")
            self.kept[key] = [
                person.user_id
                for person in self.people
                if (tag is None or person.tag == tag) and (period is None or first <= day_of(person) <= last)
            ]
        return self.kept[key]


def day_of(person: Person) -> str:
    return f"{person.heard.astimezone(LOCAL):%Y_%m_%d}" if person.heard else ""


def followers(number: int, first: int = 0, **details: Any) -> list[Person]:
    return [Person(f"33334444{first + n:011d}", **details) for n in range(number)]


@pytest.fixture
async def lists() -> AsyncIterator[Lists]:
    it = Lists()
    async with it.server.running():
        yield it


@contextlib.asynccontextmanager
async def process(settings: Settings, lists: Lists, clock: Clock) -> AsyncIterator[Runtime]:
    alone = replace(settings, zalo=replace(settings.zalo, app_per_minute=0), queue=QueueSettings("embedded"))
    async with opened(with_zalo(alone, lists.server.url), clock) as runtime:
        yield runtime


@pytest.fixture
async def runtime(settings: Settings, lists: Lists, clock: Clock) -> AsyncIterator[Runtime]:
    """Give a commune whose account has no rate limit."""
    async with process(settings, lists, clock) as it:
        async with it.units_of_work() as uow:
            made = await commune.build(uow)
            await uow.session.delete(made.account)
        await account(it, commune.OA)
        yield it


async def the_account(runtime: Runtime) -> accounts.AccountRow:
    async with runtime.database.reading() as session:
        row = await accounts.by_external_id(session, "zalo", commune.OA)
    assert row is not None
    return row


async def begun(runtime: Runtime) -> FollowerImportRow:
    mine = await the_account(runtime)
    async with runtime.units_of_work() as uow:
        return await follower_imports.begin(uow, mine.id)


async def stands(runtime: Runtime) -> FollowerImportRow:
    async with runtime.database.reading() as session:
        return (await session.exec(select(FollowerImportRow))).one()


async def people(runtime: Runtime) -> dict[str, ContactRow]:
    async with runtime.database.reading() as session:
        rows = (await session.exec(select(ContactRow))).all()
    assert len({row.external_id for row in rows}) == len(rows)
    return {row.external_id: row for row in rows}


async def to_the_end(runtime: Runtime) -> FollowerImportRow:
    for _ in range(20):
        await import_followers(runtime)
        row = await stands(runtime)
        if row.state != "running":
            return row
    raise AssertionError(row)


async def test_everybody_is_imported_once_and_to_be_imported_is_no_interaction(
    runtime: Runtime, lists: Lists, clock: Clock
) -> None:
    lists.people = followers(120)
    await begun(runtime)
    assert await import_followers(runtime) == 120
    row = await stands(runtime)
    assert (row.state, row.told, row.found, row.made, row.beyond) == ("done", 120, 120, 120, False)
    assert row.ended_at is not None
    found = await people(runtime)
    assert set(found) == {person.user_id for person in lists.people}
    assert {(one.following, one.name, one.last_interaction_at, one.greeted_at) for one in found.values()} == {
        (True, "", None, None)
    }
    assert max(one.created_at for one in found.values()) <= clock.now
    assert await import_followers(runtime) == 0


async def test_what_is_known_of_people_stays_but_that_they_follow(runtime: Runtime, lists: Lists, clock: Clock) -> None:
    lists.people = followers(4)
    mine = await the_account(runtime)
    known, gone, erased, _ = [person.user_id for person in lists.people]
    async with runtime.units_of_work() as uow:
        for user_id in (known, gone, erased):
            await contacts.met(uow, mine, user_id, interacts=True)
        rows = {row.external_id: row for row in (await uow.session.exec(select(ContactRow))).all()}
        rows[known].name, rows[known].following = "Công dân Thử Nghiệm A", True
        rows[gone].gone, rows[gone].stopped_at = "not_a_follower", uow.now
        rows[erased].erased_at = uow.now
    before = await people(runtime)
    clock.forward(hours=1)
    await begun(runtime)
    row = await to_the_end(runtime)
    after = await people(runtime)
    assert (row.made, row.found) == (1, 3)
    assert after[known] == before[known]
    assert after[gone].model_dump() == before[gone].model_dump() | {"following": True}
    assert after[erased] == before[erased]


async def test_twelve_thousand_are_found_by_tags_and_days_beyond_the_list(
    runtime: Runtime, lists: Lists, clock: Clock
) -> None:
    lists.people = [
        *followers(READABLE - 300),
        *followers(300, READABLE - 300, tag="thôn 1"),
        *followers(900, READABLE, tag="thôn 2"),
        *followers(99, READABLE + 900, tag="thôn 2", heard=clock.now - timedelta(days=3)),
        *followers(1000, READABLE + 999, heard=datetime(2019, 5, 5, tzinfo=UTC)),
    ]
    assert len(lists.people) == 12_000
    await begun(runtime)
    row = await to_the_end(runtime)
    assert (row.state, row.told, row.found, row.made, row.beyond) == ("done", 12_000, 12_000, 12_000, True)
    assert len(await people(runtime)) == 12_000
    plain = [page["offset"] for page in lists.pages if len(page) == 3]
    assert plain == [*range(0, 9951, 50), 9951]
    assert Counter(page["tag_name"] for page in lists.pages if "tag_name" in page) == {"thôn 1": 6, "thôn 2": 20}


async def test_a_period_that_is_too_long_is_read_as_two(runtime: Runtime, lists: Lists, clock: Clock) -> None:
    heard = clock.now - timedelta(days=8)
    lists.people = followers(60, heard=heard)

    def judge(asked: Asked) -> Answer | None:
        first, last = asked.data.get("last_interaction_period", ":").split(":")
        if not first < day_of(lists.people[0]) < last:
            return None
        lists.pages.append(asked.data)
        users = [{"user_id": person.user_id} for person in lists.people[:50]]
        return Answer({"error": 0, "data": {"total": READABLE + 1, "users": users}})

    lists.judge = judge
    await begun(runtime)
    assert (await to_the_end(runtime)).found == 60
    asked = [page["last_interaction_period"] for page in lists.pages if "last_interaction_period" in page]

    def period(begin: int, end: int) -> str:
        return ":".join(f"{clock.now.astimezone(LOCAL) - timedelta(days=ago):%Y_%m_%d}" for ago in (begin, end))

    at = asked.index(period(13, 7))
    split = [period(13, 7), period(9, 7), period(7, 7), period(9, 8), period(9, 8), period(13, 10), period(29, 14)]
    assert asked[at : at + 7] == split


async def test_days_tell_since_when_somebody_has_interacted_and_no_more(
    runtime: Runtime, lists: Lists, clock: Clock
) -> None:
    """What is written is the beginning of a period: later than that they may or may not have interacted."""
    heard = clock.now - timedelta(days=3)
    lists.people = [*followers(2, heard=heard), *followers(1, 2, heard=clock.now - timedelta(days=20))]
    mine = await the_account(runtime)
    async with runtime.units_of_work() as uow:
        later = await contacts.met(uow, mine, lists.people[1].user_id, interacts=True)
    await begun(runtime)
    await to_the_end(runtime)
    found = await people(runtime)
    begins = heard.astimezone(LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
    assert found[lists.people[0].user_id].last_interaction_at == begins
    assert found[lists.people[1].user_id].last_interaction_at == later.last_interaction_at
    longer = found[lists.people[2].user_id].last_interaction_at
    assert longer is not None
    assert clock.now - timedelta(days=31) < longer <= clock.now - timedelta(days=20)


async def test_a_worker_that_dies_anywhere_is_followed_by_another_without_doubles(
    runtime: Runtime, settings: Settings, lists: Lists, clock: Clock
) -> None:
    lists.people = [*followers(400, heard=clock.now - timedelta(days=2)), *followers(30, 400, tag="thôn 1")]
    await begun(runtime)
    for deaths in range(1, 12):
        asked, gate = asyncio.Event(), asyncio.Event()
        left = deaths

        def hang(_asked: Asked, asked: asyncio.Event = asked, gate: asyncio.Event = gate) -> Answer | None:
            nonlocal left
            left -= 1
            if left > 0:
                return None
            asked.set()
            return Answer({"error": 0, "data": {}}, wait=gate)

        lists.judge = hang
        async with process(settings, lists, clock) as other:
            dying = asyncio.create_task(import_followers(other))
            await asyncio.wait([dying, asyncio.create_task(asked.wait())], return_when=asyncio.FIRST_COMPLETED)
            dying.cancel()
            await asyncio.gather(dying, return_exceptions=True)
            gate.set()
    lists.judge = lambda _asked: None
    row = await to_the_end(runtime)
    assert (row.state, row.found, row.made) == ("done", 430, 430)
    assert len(await people(runtime)) == 430


async def test_a_page_that_two_workers_asked_for_counts_once(
    runtime: Runtime, settings: Settings, lists: Lists, clock: Clock
) -> None:
    lists.people = followers(160)
    await begun(runtime)
    async with process(settings, lists, clock) as other:
        await asyncio.gather(import_followers(runtime), import_followers(other))
    row = await to_the_end(runtime)
    assert (row.state, row.made, row.found) == ("done", 160, 160)
    assert len(await people(runtime)) == 160


async def test_who_comes_too_late_changes_nothing(runtime: Runtime, lists: Lists) -> None:
    lists.people = followers(1)
    at = position(await begun(runtime))
    async with runtime.units_of_work() as uow:
        assert await follower_imports.take(uow, at, ["1"], total=60, next_offset=50, cut=False) == 1
    async with runtime.units_of_work() as uow:
        assert await follower_imports.take(uow, at, ["2"], total=60, next_offset=50, cut=False) is None
        assert not await follower_imports.take_tags(uow, at, ["x"])
        assert not await follower_imports.refused(uow, at, "x")
        await follower_imports.held_up(uow, at, "x")
    assert set(await people(runtime)) == {"1"}
    assert (await stands(runtime)).error == ""


async def test_the_allowance_of_broadcasts_is_spent_and_the_rest_left_to_answers(
    runtime: Runtime, lists: Lists
) -> None:
    lists.people = followers(1000)
    async with runtime.units_of_work() as uow:
        mine = await accounts.by_external_id(uow.session, "zalo", commune.OA)
        assert mine is not None
        mine.learnt = {"per_minute": "10"}
    await begun(runtime)
    made = await import_followers(runtime)
    row = await stands(runtime)
    assert 0 < made <= 8 * 50
    assert (row.state, row.cursor, row.error) == ("running", made, "")
    windows = runtime.channel(mine).limits(ref(mine))
    assert (await runtime.budget.take(windows, BROADCAST, 1)).number == 0
    assert (await runtime.budget.take(windows, ANSWER, 10)).number > 0


async def test_a_provider_that_asks_to_wait_is_left_alone_and_gone_on_with(runtime: Runtime, lists: Lists) -> None:
    lists.people = followers(130)
    refusals = [Answer({"error": -32, "message": "Your OA reached limit call api"})]
    lists.judge = lambda asked: refusals.pop() if refusals and asked.data["offset"] == 50 else None
    await begun(runtime)
    assert await import_followers(runtime) == 50
    assert ((await stands(runtime)).state, (await stands(runtime)).cursor) == ("running", 50)
    assert await import_followers(runtime) == 80
    assert (await stands(runtime)).state == "done"


async def test_a_provider_that_is_down_is_asked_again_later_and_the_page_says_why(
    runtime: Runtime, lists: Lists
) -> None:
    lists.people = followers(60)
    await begun(runtime)
    lists.judge = lambda _asked: Answer(b"", 502)
    assert await import_followers(runtime) == 0
    assert ((await stands(runtime)).state, (await stands(runtime)).error) == ("running", "provider_5xx")
    assert len(lists.server.asked) == 1
    lists.judge = lambda _asked: None
    row = await to_the_end(runtime)
    assert (row.found, row.error) == (60, "")


async def test_a_stopped_account_pauses_its_import_until_a_person_starts_it(runtime: Runtime, lists: Lists) -> None:
    lists.people = followers(60)
    mine = await the_account(runtime)
    await begun(runtime)
    async with runtime.units_of_work() as uow:
        await accounts.stop(uow.session, mine.id, "oa_blocked", "", uow.now, asked_at=uow.now)
    assert await import_followers(runtime) == 0
    assert lists.server.asked == []
    assert (await stands(runtime)).state == "running"
    async with runtime.units_of_work() as uow:
        await account_verbs.restart(uow, mine.id)
    assert (await to_the_end(runtime)).found == 60


async def test_an_account_without_tokens_is_stopped_and_its_import_waits(runtime: Runtime, lists: Lists) -> None:
    lists.people = followers(60)
    mine = await the_account(runtime)
    await begun(runtime)
    async with runtime.units_of_work() as uow:
        row = await credentials.credential(uow.session, mine.id)
        assert isinstance(row, CredentialRow)
        await uow.session.delete(row)
    assert await import_followers(runtime) == 0
    assert ((await the_account(runtime)).state, (await stands(runtime)).state) == ("stopped", "running")


async def test_a_right_that_was_not_granted_ends_the_import_and_stops_no_messages(
    runtime: Runtime, lists: Lists
) -> None:
    await begun(runtime)
    lists.judge = lambda _asked: Answer({"error": -223, "message": "permission"})
    assert await import_followers(runtime) == 0
    row = await stands(runtime)
    assert (row.state, row.error) == ("failed", "permission_not_granted")
    assert (await the_account(runtime)).state == "active"
    lists.judge = lambda _asked: None
    lists.people = followers(3)
    await begun(runtime)
    assert (await to_the_end(runtime)).error == ""


async def test_lists_that_are_refused_are_left_out(runtime: Runtime, lists: Lists, clock: Clock) -> None:
    lists.people = followers(60, heard=clock.now)

    def judge(asked: Asked) -> Answer | None:
        refused = "last_interaction_period" in asked.data
        return Answer({"error": -201, "message": "last_interaction_period"}) if refused else None

    lists.judge = judge
    await begun(runtime)
    assert (await to_the_end(runtime)).found == 60


async def test_a_list_that_ends_sooner_than_told_goes_on_by_tags(runtime: Runtime, lists: Lists) -> None:
    lists.people = [*followers(200), *followers(20, 200, tag="thôn 1")]

    def judge(asked: Asked) -> Answer | None:
        far = "data" in asked.query and asked.data.get("offset", 0) > 100
        return Answer({"error": -210, "message": "offset"}) if far else None

    lists.judge = judge
    await begun(runtime)
    row = await to_the_end(runtime)
    assert (row.state, row.beyond, row.told, row.found) == ("done", True, 220, 170)


async def test_only_one_import_of_an_account_runs(runtime: Runtime, lists: Lists) -> None:
    lists.people = followers(1)
    await begun(runtime)
    with pytest.raises(InvalidInputError, match="import_runs"):
        await begun(runtime)
    await to_the_end(runtime)
    await begun(runtime)
    async with runtime.units_of_work() as uow:
        with pytest.raises(NotFoundError):
            await follower_imports.begin(uow, "nowhere")
    async with runtime.database.reading() as session:
        trail = [row.action for row in (await session.exec(select(AuditRow).order_by("id"))).all()]
    assert [one for one in trail if "followers" in one] == [
        "account.followers", "account.followers_done", "account.followers",
    ]  # fmt: skip


async def test_one_account_whose_import_breaks_does_not_hold_up_another(runtime: Runtime, lists: Lists) -> None:
    lists.people = followers(120)
    broken = await account(runtime, "2222333344445555888")
    await begun(runtime)
    async with runtime.units_of_work() as uow:
        await follower_imports.begin(uow, broken.id)
        row = await uow.session.get(FollowerImportRow, broken.id)
        assert row is not None
        row.plan = [{"part": "no such part"}]
    with pytest.raises(Exception, match="1 of 2 failed"):
        await import_followers(runtime)
    assert len(await people(runtime)) == 120


async def test_names_and_what_else_a_profile_tells_are_fetched_for_whom_was_imported(
    runtime: Runtime, lists: Lists
) -> None:
    lists.people = followers(3)
    await begun(runtime)
    await to_the_end(runtime)
    assert await fetch_profiles(runtime) == 3
    found = await people(runtime)
    assert {(one.name, one.last_interaction_at) for one in found.values()} == {
        ("Người Thử Nghiệm", datetime(2026, 11, 19, 17, tzinfo=UTC))
    }


async def test_the_health_page_names_an_import_that_does_not_get_on(
    runtime: Runtime, lists: Lists, clock: Clock
) -> None:
    lists.people = followers(60)
    await begun(runtime)

    async def line() -> tuple[Light, int, bool]:
        async with runtime.database.reading() as session:
            [found] = await health.import_lines(session, clock.now)
        return found.light, found.values["age"], found.values["stopped"]

    assert await line() == (Light.OK, 0, False)
    clock.forward(minutes=11)
    assert await line() == (Light.WARN, 660, False)
    clock.forward(minutes=60)
    assert (await line())[0] is Light.BAD
    mine = await the_account(runtime)
    async with runtime.units_of_work() as uow:
        await accounts.stop(uow.session, mine.id, "oa_blocked", "", uow.now, asked_at=uow.now)
    assert await line() == (Light.WARN, 4260, True)
    async with runtime.units_of_work() as uow:
        await account_verbs.restart(uow, mine.id)
    await to_the_end(runtime)
    async with runtime.database.reading() as session:
        assert await health.import_lines(session, clock.now) == []

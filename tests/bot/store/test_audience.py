"""Whom an announcement reaches: what is counted while one composes is what is frozen, and both are as the rules say."""

import random
from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from bot.domain.audience import Audience, Sender, Way
from bot.store import audience, listed_audience, plans
from bot.store.accounts import AccountRow
from bot.store.audience import Rules
from bot.store.broadcasts import BroadcastRow, DeliveryRow
from bot.store.contacts import ContactRow
from bot.store.database import Database, Session
from bot.store.dossiers import DossierPersonRow, DossierRow
from bot.store.marks import MarkRow
from bot.store.plans import Plan
from bot.store.recipients import ListedRow
from tests.bot.store.seed import NOW, account_and_contacts

ZALO, TELEGRAM = "account", "bot"
Key = tuple[str, Way]


def senders(*, by_user: bool, by_phone: bool) -> list[Sender]:
    week, two_days = NOW - timedelta(days=7), NOW - timedelta(days=2)
    zalo = Sender(
        ZALO, "zalo", NOW, windowed=True, since=week, free_since=two_days, template_id="t", by_user=by_user,
        by_phone=by_phone,
    )  # fmt: skip
    return [zalo, Sender(TELEGRAM, "telegram", NOW, windowed=False, since=NOW, free_since=NOW)]


async def town(database: Database, rng: random.Random, number: int = 60) -> tuple[list[ContactRow], list[MarkRow]]:
    """Make people of every sort at two accounts."""
    await account_and_contacts(database, 0)
    people = [
        ContactRow(
            id=f"c{n:03d}",
            account_id=rng.choice((ZALO, ZALO, TELEGRAM)),
            external_id=f"x{n}",
            kind=rng.choices(("person", "group"), (9, 1))[0],
            gone=rng.choices(("", "blocked"), (8, 1))[0],
            anonymous=rng.random() < 0.05,
            stopped_at=NOW if rng.random() < 0.1 else None,
            erased_at=NOW if rng.random() < 0.05 else None,
            last_interaction_at=_heard(rng),
            phone=b"sealed",
            phone_hash=rng.choice((None, f"h{rng.randrange(12)}", f"own{n}")),
            person_id=rng.choice((None, None, f"p{rng.randrange(12)}")),
            created_at=NOW,
        )
        for n in range(number)
    ]
    marks = [
        MarkRow(kind=kind, value=value, contact_id=person.id, chosen=rng.random() < 0.7, at=NOW)
        for person in people
        for kind, value in (("area", "a"), ("area", "b"), ("topic", "t"), ("tag", "old"), ("purpose", "advert"))
        if rng.random() < 0.4
    ]
    async with database.writing() as session:
        session.add(
            AccountRow(id=TELEGRAM, provider="telegram", external_id="7", name="bot", unit_id="unit", created_at=NOW)
        )
        await session.flush()
        session.add_all(people)
        await session.flush()
        session.add_all(marks)
        await session.commit()
    return people, marks


def _heard(rng: random.Random) -> datetime | None:
    days = rng.choice((None, 0.1, 3, 8, 30, 400))
    return None if days is None else NOW - timedelta(days=days, seconds=rng.randrange(1000))


FIELDS = ("Đất đai", "Hộ tịch", "100% _")
PATHS = ("/unit/", "/unit/below/", "/other/")


async def filed(
    database: Database, rng: random.Random, people: list[ContactRow], number: int = 40
) -> tuple[list[DossierRow], set[tuple[str, str]]]:
    """File dossiers of these people by phone, bind some to contacts; returns them and who is bound to which."""
    rows = [
        DossierRow(
            id=f"d{n:03d}", code=f"H01.1-261101-{n:04d}", squeezed=f"{n}", tail=str(n), unit_id="unit",
            path=rng.choice(PATHS), field=rng.choice(FIELDS), status=4, status_at=NOW,
            finished_at=rng.choice((None, NOW)),
            phone=b"sealed", phone_hash=rng.choice((None, f"h{rng.randrange(12)}", f"own{n}", "stranger")),
            created_at=NOW, updated_at=NOW,
        )
        for n in range(number)
    ]  # fmt: skip
    bound = {(row.id, rng.choice(people).id) for row in rows for _ in range(rng.choice((0, 0, 1, 2)))}
    async with database.writing() as session:
        session.add_all(rows)
        await session.flush()
        session.add_all(DossierPersonRow(dossier_id=d, contact_id=c, how="code", at=NOW) for d, c in sorted(bound))
        await session.commit()
    return rows, bound


class Oracle:
    """Says in plain words who gets what; knows nothing of SQL."""

    dossiers: tuple[list[DossierRow], set[tuple[str, str]]] = ([], set())

    def __init__(self, people: list[ContactRow], marks: list[MarkRow], given: list[Sender], rules: Rules) -> None:
        self.people = people
        self.on = {(m.kind, m.value, m.contact_id) for m in marks if m.chosen}
        self.off = {(m.kind, m.value, m.contact_id) for m in marks if not m.chosen}
        self.senders = {s.account_id: s for s in given}
        self.rules = rules

    def has(self, c: ContactRow, kind: str, values: tuple[str, ...]) -> bool:
        return any((kind, value, c.id) in self.on for value in values)

    def filed(self, c: ContactRow) -> bool:
        """Whether somebody, as any of their contacts, has or had a dossier that the rules mean."""
        rules, (rows, bound) = self.rules.audience, self.dossiers
        meant = [
            d
            for d in rows
            if d.field in rules.dossier_fields
            and d.path.startswith(self.rules.path)
            and (rules.dossier_state != "open" or d.finished_at is None)
        ]
        same = [o for o in self.people if o.id == c.id or (c.person_id and o.person_id == c.person_id)]
        return any(o.phone_hash == d.phone_hash is not None or (d.id, o.id) in bound for o in same for d in meant)

    def meant(self, c: ContactRow) -> bool:
        """Whether an announcement is for somebody who may be, or was, written to."""
        rules = self.rules.audience
        person = c.kind == "person" and not c.anonymous and c.erased_at is None and c.stopped_at is None
        narrowed = all(
            self.has(c, kind, values)
            for kind, values in (("area", rules.area_ids), ("topic", rules.topic_ids), ("tag", rules.tags))
            if values
        )
        narrowed = narrowed and (not rules.dossier_fields or self.filed(c))
        topic = self.rules.topic_id
        wants = not topic or (
            ("topic", topic, c.id) not in self.off if self.rules.topic_default_on else ("topic", topic, c.id) in self.on
        )
        agrees = not self.rules.needs_consent or ("purpose", "advert", c.id) in self.on
        return person and narrowed and not self.has(c, "tag", rules.without_tags) and wants and agrees

    def chat(self, c: ContactRow) -> bool:
        sender = self.senders[c.account_id]
        return not sender.windowed or (c.last_interaction_at is not None and c.last_interaction_at > sender.since)

    def way(self, c: ContactRow) -> Way:
        sender = self.senders[c.account_id]
        if c.gone:
            return Way.NONE
        if self.chat(c):
            return Way.CHAT
        within_year = c.last_interaction_at is not None and c.last_interaction_at > NOW - timedelta(days=365)
        if sender.by_user and within_year:
            return Way.TEMPLATE_USER
        return Way.TEMPLATE_PHONE if sender.by_phone and c.phone_hash else Way.NONE

    def rank(self, c: ContactRow) -> tuple[int, float, str]:
        ways = (Way.NONE, Way.TEMPLATE_PHONE, Way.TEMPLATE_USER, Way.CHAT)
        how = -1 if c.gone else ways.index(self.way(c))
        return how, c.last_interaction_at.timestamp() if c.last_interaction_at else 0.0, c.id

    def one_of_two(self, c: ContactRow) -> bool:
        return any(
            o.id != c.id
            and self.meant(o)
            and ((c.person_id and o.person_id == c.person_id) or (c.phone_hash and o.phone_hash == c.phone_hash))
            and self.rank(o) > self.rank(c)
            for o in self.people
        )

    def rows(self) -> dict[str, Key]:
        return {
            c.id: (c.account_id, self.way(c)) for c in self.people if self.meant(c) and not self.one_of_two(c)
        }  # fmt: skip


async def broadcasts(session: Session, given: list[Sender]) -> dict[Key, BroadcastRow]:
    rows = {
        (s.account_id, way): BroadcastRow(
            account_id=s.account_id, unit_id="unit", run_id="run", way=way.value, message={"text": "x"}, created_at=NOW
        )
        for s in given
        for way in s.ways
    }
    session.add_all(rows.values())
    await session.flush()
    return rows


async def frozen(database: Database, given: list[Sender], rules: Rules, size: int) -> dict[str, Key]:
    """Freeze an audience in slices; returns by recipient the account and the way."""
    async with database.writing() as session:
        rows = await broadcasts(session, given)
        plan = Plan(given, rules, rows, doubles=await audience.may_double(session))
        if plan.doubles:
            await plans.freeze_doubles(session, plan, NOW)
        after: str | None = ""
        while after is not None:
            until = await plans.boundary(session, after, size)
            await plans.freeze_slice(session, plan, after, until, NOW)
            after = until
        await session.commit()
        query = select(DeliveryRow, BroadcastRow).join(
            BroadcastRow, col(BroadcastRow.id) == col(DeliveryRow.broadcast_id)
        )
        found = (await session.exec(query)).all()
        for key, row in rows.items():
            mine = sorted(d.n for d, b in found if b.id == row.id)
            assert mine == list(range(1, row.total + 1)), f"numbers of {key} without a gap"
        assert all((d.state == "failed") == (b.way == Way.NONE) for d, b in found)
        return {d.recipient: (b.account_id, Way(b.way)) for d, b in found}


RULES = (
    Rules(),
    Rules(Audience(area_ids=("a", "b"))),
    Rules(Audience(area_ids=("a",), tags=("old",)), topic_id="t"),
    Rules(Audience(without_tags=("old",)), topic_id="t", topic_default_on=False),
    Rules(Audience(topic_ids=("t",)), needs_consent=True),
    Rules(Audience(dossier_fields=("Đất đai", "Hộ tịch")), path="/unit/"),
    Rules(
        Audience(dossier_fields=("100% _",), dossier_state="open", without_tags=("old",)), topic_id="t", path="/unit/"
    ),
    Rules(Audience(area_ids=("a",), dossier_fields=("Hộ tịch",)), path="/unit/below/"),
)


@pytest.mark.parametrize("seed", range(2 * len(RULES)))
async def test_what_is_counted_is_what_is_frozen_and_what_the_rules_say(database: Database, seed: int) -> None:
    rng = random.Random(seed)
    people, marks = await town(database, rng)
    given = senders(by_user=rng.random() < 0.5, by_phone=rng.random() < 0.5)
    rules = RULES[seed % len(RULES)]
    oracle = Oracle(people, marks, given, rules)
    if rules.audience.dossier_fields:
        oracle.dossiers = await filed(database, rng, people)
    expected = oracle.rows()
    async with database.reading() as session:
        counted = await audience.reach(session, given, rules)
    assert await frozen(database, given, rules, rng.randint(3, 80)) == expected
    ways = Counter(expected.values())
    assert {key: number for key, number in counted.ways.items() if number} == dict(ways)
    assert counted.missed == sum(number for (_, way), number in ways.items() if way is Way.NONE)
    stopped = sum(
        c.stopped_at is not None for c in people if c.kind == "person" and not c.anonymous and not c.erased_at
    )
    assert counted.left_out.get("stopped", 0) <= stopped


LISTS = (
    Rules(Audience(list_id="l")),
    Rules(Audience(list_id="l"), topic_id="t"),
    Rules(Audience(list_id="l"), needs_consent=True),
)


def listed(oracle: Oracle, lines: list[tuple[str, str]]) -> tuple[dict[str, tuple[str, Way, int]], int]:
    """Say in plain words who of a list gets what, with the number of the line, and how many are left out.

    Beside each line's recipient stands the phone that its dossier names, "" for none.
    """
    got: dict[str, tuple[str, Way, int]] = {}
    persons: set[str] = set()
    out: set[tuple[str, bool]] = set()
    for n, (phone, named) in enumerate(lines, 2):
        called = [c for c in oracle.people if phone in {f"phone:{c.phone_hash}", c.id} or named == c.phone_hash]
        meant = [c for c in called if not c.erased_at and c.account_id in oracle.senders]
        best = max(meant, key=lambda c: (*oracle.rank(c)[:2], [-ord(x) for x in c.id]), default=None)
        is_phone = phone.startswith("phone:")
        number = phone.removeprefix("phone:") if is_phone else named
        rows, bound = oracle.dossiers
        own = sorted(d.phone_hash for d in rows if d.phone_hash and best and (d.id, best.id) in bound)
        person = (best.person_id or best.phone_hash or [*own, best.id][0]) if best else (number or phone)
        open_ = best is not None and best.kind == "person" and not best.gone and not best.anonymous
        zalo = oracle.senders[ZALO]
        way = oracle.way(best) if best and open_ and not best.stopped_at else Way.NONE
        if way in {Way.NONE, Way.TEMPLATE_PHONE}:
            way = Way.TEMPLATE_PHONE if zalo.by_phone and number else Way.NONE
        by_phone = is_phone or way is Way.TEMPLATE_PHONE
        stopped = any(c.stopped_at for c in (called if by_phone else [best] if best else []))
        off = best is not None and ("topic", oracle.rules.topic_id, best.id) in oracle.off
        agreed = best is not None and ("purpose", "advert", best.id) in oracle.on
        if stopped or off or (oracle.rules.needs_consent and not agreed):
            out.add((person, True))
            continue
        if person in persons:
            continue
        persons.add(person)
        account = ZALO if way is Way.TEMPLATE_PHONE or best is None else best.account_id
        alone = f"phone:{number}" if number else phone
        got[best.id if best else alone] = (account, way, n)
    return got, len(out)


@pytest.mark.parametrize("seed", range(9))
async def test_each_line_of_a_list_finds_its_contact_and_its_way(database: Database, seed: int) -> None:
    rng = random.Random(seed)
    people, marks = await town(database, rng)
    given = senders(by_user=rng.random() < 0.5, by_phone=rng.random() < 0.5)
    rules = LISTS[seed % len(LISTS)]
    phones = {f"h{n}" for n in range(12)} | {c.phone_hash for c in people if c.phone_hash} | {"nobody1", "nobody2"}
    if seed % 2:
        given = given[:1]  # somebody is known by an account that does not send
    lines = [(f"phone:{phone}", "") for phone in rng.sample(sorted(phones), min(len(phones), 30))]
    lines += [(c.id, "") for c in rng.sample(people, 8)]  # as whom the dossiers of lines are bound to
    dossiers, bound = await filed(database, rng, people)
    lines += [(rng.choice(people).id, d.phone_hash or "") for d in dossiers[:12]]
    lines += rng.choices(lines, k=4)  # several dossiers of one person
    rng.shuffle(lines)
    async with database.writing() as session:
        session.add_all(
            ListedRow(
                list_id="l",
                n=n,
                recipient=recipient,
                address=next((d.id for d in dossiers if d.phone_hash == named), "") if named else "00ff",
                merged={"Dòng": n},
            )
            for n, (recipient, named) in enumerate(lines, 2)
        )
        session.add(ListedRow(list_id="l", n=99, problems=[{"code": "bad"}]))
        await session.commit()
    oracle = Oracle(people, marks, given, rules)
    oracle.dossiers = dossiers, bound
    expected, left_out = listed(oracle, lines)
    async with database.reading() as session:
        counted = await listed_audience.reach(session, given, rules)
    async with database.writing() as session:
        rows = await broadcasts(session, given)
        size = rng.choice((7, 17, 100))
        for after in range(0, 100, size):
            await listed_audience.freeze_lines(session, given, rows, rules, after, after + size, NOW)
        await session.commit()
        by_id = {row.id: row for row in rows.values()}
        found = {
            d.recipient: (by_id[d.broadcast_id].account_id, Way(by_id[d.broadcast_id].way), (d.merged or {})["Dòng"])
            for d in (await session.exec(select(DeliveryRow))).all()
        }
    assert found == expected
    assert {key: n for key, n in counted.ways.items() if n} == Counter((a, w) for a, w, _ in expected.values())
    assert sum(counted.left_out.values()) == left_out

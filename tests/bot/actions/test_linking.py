"""Whatever chats do in whatever order, each shows the cases of those who are one person by their own word, no more."""

from dataclasses import dataclass, field
from random import Random

import pytest

from bot.actions import contacts as people
from bot.actions import linking
from bot.actions.linking import Redeemed
from bot.runtime import Runtime
from bot.store import cases
from bot.store.contacts import ContactRow
from bot.store.unit_of_work import UnitOfWork
from tests import commune
from tests.runtime_fixtures import Clock
from tests.talk import Talk

PHONES = ("0900000001", "0900000002")
ACCOUNTS = 4


@dataclass
class Model:
    """What must be so: who is one person with whom, by their own words in both chats."""

    groups: list[set[int]]
    phones: dict[int, str | None] = field(default_factory=dict)

    def group(self, one: int) -> set[int]:
        return next(group for group in self.groups if one in group)

    def join(self, one: int, other: int) -> None:
        first, second = self.group(one), self.group(other)
        if first is not second:
            self.groups.remove(second)
            first |= second

    def leave(self, one: int) -> None:
        self.group(one).discard(one)
        self.groups = [group for group in self.groups if group] + [{one}]


@dataclass
class Town:
    """Four chats, each with an account of its own, and the model that they are held against."""

    talks: list[Talk]
    model: Model
    reports: dict[int, str] = field(default_factory=dict)
    random: Random = field(default_factory=Random)

    async def row(self, uow: UnitOfWork, one: int) -> ContactRow:
        talk = self.talks[one]
        account = await talk.runtime.account_row(uow, talk.provider, talk.account)
        assert account is not None
        return await people.met(uow, account, talk.user, interacts=True)

    async def share(self, one: int) -> None:
        phone = self.random.choice(PHONES)
        async with self.talks[one].runtime.units_of_work() as uow:
            assert await people.share_phone(uow, await self.row(uow, one), phone, "", "", self.talks[one].runtime.box)
        self.model.phones[one] = phone

    async def link(self, one: int) -> None:
        """Ask, say yes, and carry the digits to one of the chats: the right one, or a stranger's."""
        box = self.talks[one].runtime.box
        async with self.talks[one].runtime.units_of_work() as uow:
            row = await self.row(uow, one)
            account = await linking.offer(uow, row)
            promise = await linking.promise(uow, row, box) if account else None
        if promise is None:
            return
        other = self.random.randrange(ACCOUNTS)
        right = self.talks[other].account == promise.account.external_id
        code = promise.code if self.random.random() < 0.9 else "x" * 6
        async with self.talks[other].runtime.units_of_work() as uow:
            outcome = await linking.redeem(uow, await self.row(uow, other), code, box)
        assert (outcome is Redeemed.LINKED) is (right and code == promise.code)
        if outcome is Redeemed.LINKED:
            assert self.model.phones[one] == self.model.phones[other]
            self.model.join(one, other)

    async def unlink(self, one: int) -> None:
        alone = len(self.model.group(one)) == 1
        async with self.talks[one].runtime.units_of_work() as uow:
            assert await linking.undo(uow, await self.row(uow, one)) is not alone
        self.model.leave(one)

    async def erase(self, one: int) -> None:
        async with self.talks[one].runtime.units_of_work() as uow:
            await people.erase(uow, await self.row(uow, one), 0)
        self.model.phones[one] = None
        self.model.leave(one)

    async def views(self) -> list[set[str]]:
        """Return which cases each chat shows as one's own."""
        found = []
        async with self.talks[0].runtime.units_of_work() as uow:
            for one in range(ACCOUNTS):
                row = await self.row(uow, one)
                ids = [row.id, *(other.id for other, _ in await linking.others(uow, row))]
                found.append({case.code for case in await cases.of_contacts(uow.session, ids)})
        return found

    async def check(self) -> None:
        expected = [{self.reports[other] for other in self.model.group(one)} for one in range(ACCOUNTS)]
        assert await self.views() == expected


@pytest.fixture
async def town(runtime: Runtime, clock: Clock) -> Town:
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
        for number in range(1, ACCOUNTS):
            provider = ("zalo", "telegram")[number % 2]
            uow.session.add(commune.account_of(uow, provider, "state", f"77{number}", account_id=f"a{number}"))
    first = Talk(runtime, clock, user="100")
    talks = [first] + [
        first.elsewhere(("zalo", "telegram")[n % 2], user=f"10{n}", account=f"77{n}") for n in range(1, ACCOUNTS)
    ]
    town = Town(talks, Model([{n} for n in range(ACCOUNTS)]))
    for number, talk in enumerate(talks):
        await talk.report(f"Đèn đường thôn Kim Lâm hỏng, cột số {number + 10}, tối quá")
        contact = await talk.contact()
        async with runtime.database.reading() as session:
            [case] = await cases.of_contact(session, contact.id)
        town.reports[number] = case.code
    return town


@pytest.mark.parametrize("seed", range(12))
async def test_nobody_ever_sees_cases_that_are_not_theirs(town: Town, seed: int) -> None:
    town.random.seed(seed)
    steps = (town.share, town.link, town.link, town.unlink, town.erase)
    for one in range(ACCOUNTS):
        await town.share(one)
    for _ in range(40):
        step = town.random.choices(steps, weights=(4, 4, 4, 2, 1))[0]
        await step(town.random.randrange(ACCOUNTS))
        await town.check()


@pytest.mark.parametrize("by", [0, 1])
async def test_undoing_a_link_on_either_side_brings_back_what_was(town: Town, by: int) -> None:
    before = await town.views()
    for number in range(2):
        town.random.seed(1)
        await town.share(number)
    while len(town.model.group(0)) == 1:
        await town.link(0)
    assert (await town.views())[:2] == [before[0] | before[1]] * 2
    await town.unlink(by)
    assert await town.views() == before

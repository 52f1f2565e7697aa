"""One unit of work is one transaction; wakes and news come only after it is durable."""

from dataclasses import dataclass, field

import pytest

from bot.domain.message import Capabilities
from bot.store import accounts
from bot.store.accounts import AccountRow
from bot.store.database import Database, in_transaction
from bot.store.unit_of_work import UnitsOfWork
from tests.bot.store.seed import NOW, account_and_contacts


@dataclass
class Wakes:
    """Remember what was woken, and whether that happened inside a transaction."""

    woken: list[tuple[str, float]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    async def wake(self, job: str, delay: float = 0.0) -> None:
        assert not in_transaction()
        self.woken.append((job, delay))

    async def announce(self, topic: str) -> None:
        self.told.append(topic)


def capabilities(_account: AccountRow) -> Capabilities:
    return Capabilities(max_text=2000)


async def test_work_is_committed_then_wakes_are_told(database: Database) -> None:
    await account_and_contacts(database)
    wakes = Wakes()
    units_of_work = UnitsOfWork(database, lambda: NOW, wakes, capabilities)
    async with units_of_work() as uow:
        assert in_transaction()
        await accounts.learn(uow.session, "account", "endpoint", "v2")
        uow.after_commit("deliver_messages")
        uow.after_commit("deliver_messages")
        uow.announce("cases")
        assert wakes.woken == []
    assert wakes.woken == [("deliver_messages", 0.0)]
    assert wakes.told == ["cases"]
    async with database.reading() as session:
        row = await accounts.account(session, "account")
    assert row is not None
    assert row.learnt == {"endpoint": "v2"}


async def test_an_error_leaves_nothing_behind(database: Database) -> None:
    await account_and_contacts(database)
    wakes = Wakes()
    units_of_work = UnitsOfWork(database, lambda: NOW, wakes, capabilities)

    async def fail() -> None:
        async with units_of_work() as uow:
            await accounts.learn(uow.session, "account", "endpoint", "v2")
            uow.after_commit("deliver_messages")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert wakes.woken == []
    async with database.reading() as session:
        row = await accounts.account(session, "account")
    assert row is not None
    assert row.learnt == {}

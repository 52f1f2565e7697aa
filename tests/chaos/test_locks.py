"""Regression of a fault found by rounds: two ways to the same conversation must not wait for each other in a circle."""

import asyncio

import pytest
from sqlalchemy import text

from bot.actions import contacts as verbs
from bot.runtime import Runtime
from bot.store import contacts
from jobs.resume_conversations import resume_conversations
from tests import commune
from tests.runtime_fixtures import Clock
from tests.talk import Talk, image

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


async def test_going_on_by_itself_waits_for_the_person_before_the_conversation(runtime: Runtime, clock: Clock) -> None:
    if runtime.database.is_sqlite:
        pytest.skip("SQLite has one writer: nobody can wait in a circle")
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
    talk = Talk(runtime, clock)
    await talk.say("", image())
    clock.forward(seconds=5)
    async with asyncio.timeout(20):
        async with runtime.units_of_work() as uow:
            contact = await contacts.by_external_id(uow.session, "account", talk.user)
            assert contact is not None
            going_on = asyncio.create_task(resume_conversations(runtime))
            while not await _waiting(runtime):  # noqa: ASYNC110 - polling with a limit is the rule of these tests
                await asyncio.sleep(0.01)
            await verbs.conversation_of(uow, contact)
        assert await going_on == 1


async def _waiting(runtime: Runtime) -> int:
    async with runtime.database.connection() as connection:
        return int((await connection.execute(text(WAITING))).scalar_one())

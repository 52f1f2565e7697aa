"""Keys: who is let in, who is slowed down, and what no key is ever shown of."""

import asyncio

import pytest

from bot.actions import api_keys
from bot.domain.privacy import mask_identity
from bot.store.api_keys import ApiKeyRow
from tests.handlers.api.conftest import BATCH, CODE, System, item
from tests.runtime_fixtures import Clock

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ONE = f"/api/v1/dossiers/{CODE}"


async def test_only_the_fingerprint_of_a_key_is_kept(system: System) -> None:
    (row,) = await system.rows(ApiKeyRow)
    assert system.key.startswith("loa_")
    assert len(system.key) >= 40
    assert row.hint == system.key[-4:]
    assert row.fingerprint == api_keys.fingerprint(system.runtime.box, system.key)
    assert system.key not in str(row.model_dump())
    assert mask_identity(system.key) == system.key


async def test_without_a_key_nothing_is_told(system: System) -> None:
    system.key = ""
    for given in ("", "Basic bG9hOmxvYQ==", "Bearer", "Bearer ", "loa_x"):
        for method, path, body in (("GET", ONE, None), ("POST", BATCH, {"items": [item()]})):
            answer = await system.call(method, path, body, **({"Authorization": given} if given else {}))
            assert (answer.status, answer.problem) == (401, "no_key")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_revoked_key_is_refused_at_once(system: System) -> None:
    assert (await system.push(item())).status == 200
    async with system.runtime.units_of_work() as uow:
        await api_keys.revoke(uow, system.key_id)
    answer = await system.push(item())
    assert (answer.status, answer.problem) == (401, "wrong_key")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


async def test_wrong_keys_slow_their_address_down_and_no_right_one(system: System, clock: Clock) -> None:
    wrong = System(system.http, system.url, system.runtime, system.calls, "loa_" + "x" * 43)
    told = [await wrong.call("GET", ONE) for _ in range(8)]
    assert [answer.problem for answer in told] == ["wrong_key"] * 5 + ["too_many_wrong_keys"] * 3
    assert told[-1].status == 429
    assert 1 <= int(told[-1].headers["Retry-After"]) <= 2
    assert (await system.push(item())).status == 200, "a system at the same address goes on"
    clock.forward(seconds=2)
    assert (await wrong.call("GET", ONE)).problem == "wrong_key"
    assert int((await wrong.call("GET", ONE)).headers["Retry-After"]) >= 2, "each one more doubles the wait"
    clock.forward(hours=2)
    assert (await wrong.call("GET", ONE)).problem == "wrong_key"


async def test_odd_keys_are_wrong_keys(system: System) -> None:
    for key in ("loa_" + "é" * 20, "loa_" + "a" * 5000, "a b", "\xad"):
        answer = await system.call("GET", ONE, Authorization=f"Bearer {key}")
        assert (answer.status, answer.problem) == (401, "wrong_key")


async def test_a_key_makes_so_many_calls_a_minute(system: System) -> None:
    system.calls.limit = 3
    assert [(await system.call("GET", ONE)).status for _ in range(3)] == [404] * 3
    answer = await system.call("GET", ONE)
    assert (answer.status, answer.problem) == (429, "too_many_calls")
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    other = await system.other("office")
    assert (await other.call("GET", ONE)).status == 404, "each key counts for itself"


async def test_the_last_use_is_noted_once_a_minute(system: System, clock: Clock) -> None:
    async def used() -> object:
        (row,) = await system.rows(ApiKeyRow)
        return row.used_at

    await system.call("GET", ONE)
    first = await used()
    assert first is not None
    await asyncio.gather(*(system.call("GET", ONE) for _ in range(3)))
    assert await used() == first
    clock.forward(minutes=1)
    await system.call("GET", ONE)
    assert await used() != first

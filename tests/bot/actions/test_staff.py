"""Sign-in bookkeeping, without the pages."""

from datetime import timedelta

import pyotp
import pytest

from bot import passwords
from bot.actions import staff as actions
from bot.domain.access import Permission
from bot.errors import InvalidInputError, NotFoundError
from bot.passwords import hash_password, qr_svg, token_id, totp_step, verify_password
from bot.runtime import Runtime
from bot.store import staff
from tests import commune
from tests.runtime_fixtures import Clock
from tests.servers import cheap_passwords

ADDRESS = "203.0.113.7"


@pytest.fixture
async def office(runtime: Runtime) -> Runtime:
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
    return runtime


async def guess(runtime: Runtime, email: str = "a@b", address: str = ADDRESS) -> int:
    async with runtime.units_of_work() as uow:
        return await actions.begin_guess(uow, email, address)


async def test_passwords_are_argon2id_and_checked_without_help() -> None:
    stored = await hash_password("một mật khẩu dài")
    assert stored.startswith("$argon2id$")
    assert await verify_password(stored, "một mật khẩu dài")
    assert not await verify_password(stored, "một mật khẩu dài ")
    assert not await verify_password(None, "anything")
    assert not await verify_password("rubbish", "anything")


def test_a_guess_costs_what_argon2_advises() -> None:
    """The tests themselves hash more cheaply."""
    ours = cheap_passwords.IN_LIFE
    assert (ours.memory_cost, ours.time_cost, ours.parallelism) == (65_536, 3, 4)
    assert passwords._COSTS == "m=65536,t=3,p=4", "an e-mail that nobody has takes as long"
    assert ours.verify(ours.hash("một mật khẩu dài"), "một mật khẩu dài")


async def test_the_wait_doubles_up_to_a_quarter_of_an_hour(office: Runtime, clock: Clock) -> None:
    waits = []
    for _ in range(14):
        wait = await guess(office)
        if wait:
            waits.append(wait)
            clock.forward(seconds=wait)
            assert await guess(office) == 0
    assert waits[:4] == [1, 2, 4, 8]
    assert waits == sorted(waits)
    for _ in range(6):
        clock.forward(seconds=await guess(office))
        assert await guess(office) == 0
    assert await guess(office) <= 15 * 60


async def test_failures_are_forgotten_after_a_while(office: Runtime, clock: Clock) -> None:
    for _ in range(3):
        await guess(office)
    assert await guess(office) > 0
    clock.forward(hours=3)
    assert [await guess(office) for _ in range(3)] == [0, 0, 0]


async def test_a_right_guess_forgets_the_persons_failures_only(office: Runtime) -> None:
    for _ in range(3):
        await guess(office)
    for _ in range(3):
        await guess(office, "c@d")
    async with office.units_of_work() as uow:
        await actions.guessed_right(uow, "a@b", ADDRESS)
    assert await guess(office) == 0
    assert await guess(office, "c@d") > 0


async def test_a_code_is_taken_once_and_with_a_little_patience(office: Runtime, clock: Clock) -> None:
    secret = pyotp.random_base32()
    async with office.units_of_work() as uow:
        first = pyotp.TOTP(secret).at(uow.now)
        await actions.set_totp(uow, "official", secret, first, office.box)

    async def use(code: str) -> bool:
        async with office.units_of_work() as uow:
            return await actions.use_totp(uow, "official", code, office.box)

    assert not await use(first)
    clock.forward(seconds=30)
    second = pyotp.TOTP(secret).at(clock.now)
    clock.forward(seconds=30)
    assert await use(second)
    assert not await use(second)
    for wrong in ("", "12345", "abcdef", "١٢٣٤٥٦"):
        assert not await use(wrong)
    async with office.units_of_work() as uow:
        assert not await actions.use_totp(uow, "head", first, office.box)


def test_codes_may_be_typed_with_a_blank() -> None:
    clock, secret = Clock(), pyotp.random_base32()
    code = pyotp.TOTP(secret).at(clock.now)
    assert totp_step(secret, f"{code[:3]} {code[3:]}", clock.now) == int(clock.now.timestamp()) // 30


def test_the_qr_code_needs_no_style_and_no_script() -> None:
    svg = qr_svg("otpauth://totp/x")
    assert svg.startswith("<svg")
    assert "style" not in svg
    assert "script" not in svg


async def test_cutting_somebody_off_ends_all_their_sessions(office: Runtime) -> None:
    async with office.units_of_work() as uow:
        person = await actions.person_of(uow, "official")
        for number in range(3):
            await actions.open_session(uow, person, f"token{number}", "c", ADDRESS, "x" * 500, 12)
    async with office.units_of_work() as uow:
        await actions.deactivate(uow, "official")
    async with office.database.reading() as session:
        now = office.now()
        assert await staff.live_sessions(session, "official", now) == []
        assert await staff.live_session(session, token_id("token0"), now) is None


async def test_a_session_runs_out(office: Runtime) -> None:
    async with office.units_of_work() as uow:
        person = await actions.person_of(uow, "official")
        await actions.open_session(uow, person, "token", "c", ADDRESS, "", 12)
    async with office.database.reading() as session:
        soon, late = office.now() + timedelta(hours=11), office.now() + timedelta(hours=13)
        assert await staff.live_session(session, token_id("token"), soon) is not None
        assert await staff.live_session(session, token_id("token"), late) is None


async def test_a_new_person_holds_what_was_given(office: Runtime) -> None:
    async with office.units_of_work() as uow:
        row = await actions.add_staff(uow, " Moi@A.Example ", "  Người  mới ", "hash", "unit_head", "police")
    assert row.email == "moi@a.example"
    async with office.database.reading() as session:
        held = await staff.grants(session, row.id)
    assert held.over(Permission.CASE_APPROVE, "/commune/police/")
    assert not held.over(Permission.CASE_APPROVE, "/commune/economy/")


@pytest.mark.parametrize(
    "email", ["", "a", "a@", "@b", "a b@c.d", "a@b@c", '"a"@b.c', "a@b.c\r\nX: y", "a@" + "b" * 300]
)
def test_what_is_no_address(email: str) -> None:
    with pytest.raises(InvalidInputError):
        actions.check_email(email)


async def test_two_administrators_may_part(office: Runtime) -> None:
    async with office.units_of_work() as uow:
        await actions.grant_role(uow, "leader", "admin", "commune")
        await actions.take_role(uow, "admin", "admin", "commune")
    async with office.units_of_work() as uow:
        with pytest.raises(InvalidInputError, match="last_admin"):
            await actions.deactivate(uow, "leader")


async def test_somebody_unknown(office: Runtime) -> None:
    async with office.units_of_work() as uow:
        with pytest.raises(NotFoundError):
            await actions.deactivate(uow, "nobody")

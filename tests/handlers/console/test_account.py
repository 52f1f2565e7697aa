"""One's own page."""

import pyotp
import pytest

from bot.store import staff
from tests.handlers.console.visitor import Office, hidden
from tests.servers import cheap_passwords

OLD, NEW = "mật khẩu cũ dài", "mật khẩu mới dài"


@pytest.fixture
async def office_with_password(office: Office) -> Office:
    async with office.runtime.units_of_work() as uow:
        person = await staff.person(uow.session, "official")
        assert person is not None
        person.password = cheap_passwords.hashed(OLD)
    return office


async def test_a_new_password_ends_every_other_session(office_with_password: Office) -> None:
    here, there = await office_with_password.enter("official"), await office_with_password.enter("official")
    answer = await here.post("/me/password", {"current": OLD, "password": NEW, "again": NEW})
    assert answer.headers["Location"] == "/me?done=password_changed"
    assert "Đã đổi mật khẩu" in await here.page("/me?done=password_changed")
    assert (await there.get("/")).status == 303


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"current": "wrong", "password": NEW, "again": NEW}, "Mật khẩu hiện tại không đúng"),
        ({"current": OLD, "password": "short", "again": "short"}, "ít nhất 10 ký tự"),
        ({"current": OLD, "password": "a" * 12, "again": "a" * 12}, "quá đơn giản"),
        ({"current": OLD, "password": "ab" * 150, "again": "ab" * 150}, "Quá dài"),
        ({"current": OLD, "password": NEW, "again": "other"}, "không giống nhau"),
    ],
)
async def test_a_password_that_cannot_be_taken(
    office_with_password: Office, fields: dict[str, str], words: str
) -> None:
    answer = await (await office_with_password.enter("official")).post("/me/password", fields)
    assert answer.status == 422
    assert words in await answer.text()


async def test_guessing_the_current_password_slows_down(office_with_password: Office) -> None:
    visitor = await office_with_password.enter("official")
    fields = {"current": "wrong", "password": NEW, "again": NEW}
    for _ in range(3):
        await visitor.post("/me/password", fields)
    assert "Đã thử sai nhiều lần" in await (await visitor.post("/me/password", fields | {"current": OLD})).text()


async def test_one_time_codes_are_switched_on_and_off(office_with_password: Office) -> None:
    office = office_with_password
    visitor = await office.enter("official")
    page = await visitor.page("/me/totp")
    assert "<svg" in page
    sealed = hidden(page, "sealed")
    secret = page.split('<code class="text-break-all">')[1].split("<")[0]
    wrong = await visitor.post("/me/totp", {"sealed": sealed, "code": "000000"})
    assert wrong.status == 422
    right = await visitor.post("/me/totp", {"sealed": sealed, "code": pyotp.TOTP(secret).at(office.clock.now)})
    assert right.headers["Location"] == "/me?done=totp_on"
    async with office.runtime.database.reading() as session:
        person = await staff.person(session, "official")
    assert person is not None
    assert person.totp is not None
    assert secret.encode() not in person.totp
    assert (await visitor.post("/me/totp/remove", {"current": "wrong"})).status == 422
    assert (await visitor.post("/me/totp/remove", {"current": OLD})).status == 303


async def test_a_forged_seed_is_refused(office: Office) -> None:
    answer = await (await office.enter("official")).post("/me/totp", {"sealed": "forged", "code": "123456"})
    assert answer.status == 422


async def test_ones_sessions_are_listed_and_ended(office: Office) -> None:
    here, there = await office.enter("official"), await office.enter("official")
    page = await here.page("/me")
    ids = [part.split("/")[0] for part in page.split("/me/sessions/")[1:]]
    assert len(ids) == 1
    assert (await here.post(f"/me/sessions/{ids[0]}/end")).status == 303
    assert (await there.get("/")).status == 303
    assert (await here.get("/")).status == 200


async def test_nobody_ends_the_sessions_of_others_here(office: Office) -> None:
    here, other = await office.enter("official"), await office.enter("head")
    page = await other.page("/me")
    assert "/me/sessions/" not in page
    async with office.runtime.database.reading() as session:
        [row] = await staff.live_sessions(session, "head", office.clock.now)
    await here.post(f"/me/sessions/{row.id}/end")
    assert (await other.get("/")).status == 200


async def test_an_unknown_language_is_refused(office: Office) -> None:
    assert (await (await office.enter("official")).post("/me/language", {"language": "xx"})).status == 422

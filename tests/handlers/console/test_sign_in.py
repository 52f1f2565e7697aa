"""Signing in and out."""

import functools

import pyotp
import pytest
from aiohttp import ClientResponse

from bot.store import audit, staff
from tests.handlers.console.visitor import Office, hidden
from tests.servers import cheap_passwords

PASSWORD = "một mật khẩu dài"
EMAIL = "official@thanhoai.example"


@functools.cache
def hashed() -> str:
    return cheap_passwords.hashed(PASSWORD)


@pytest.fixture
async def office_with_passwords(office: Office) -> Office:
    async with office.runtime.units_of_work() as uow:
        for person in await staff.all_staff(uow.session):
            person.password = hashed()
    return office


async def sign_in(office: Office, email: str = EMAIL, password: str = PASSWORD, target: str = "/") -> ClientResponse:
    fields = {"email": email, "password": password, "next": target}
    return await office.client.post("/login", data=fields, allow_redirects=False)


async def test_the_right_password_signs_in_and_leads_on(office_with_passwords: Office) -> None:
    answer = await sign_in(office_with_passwords, EMAIL.upper(), target="/me")
    assert (answer.status, answer.headers["Location"]) == (303, "/me")
    cookie = answer.cookies["loa"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    page = await office_with_passwords.client.get("/me")
    assert "Cán bộ official" in await page.text()


async def test_the_token_is_not_in_the_database(office_with_passwords: Office) -> None:
    answer = await sign_in(office_with_passwords)
    async with office_with_passwords.runtime.database.reading() as session:
        rows = await staff.live_sessions(session, "official", office_with_passwords.runtime.now())
    assert answer.cookies["loa"].value not in {value for row in rows for value in (row.id, row.csrf)}


@pytest.mark.parametrize(
    ("email", "password"), [(EMAIL, "wrong"), ("nobody@thanhoai.example", PASSWORD), ("", ""), (EMAIL, "")]
)
async def test_a_wrong_guess_says_the_same_whatever_was_wrong(
    office_with_passwords: Office, email: str, password: str
) -> None:
    answer = await sign_in(office_with_passwords, email, password)
    assert answer.status == 422
    assert "E-mail hoặc mật khẩu không đúng" in await answer.text()
    assert not answer.cookies


async def test_what_was_typed_is_kept_but_for_the_password(office_with_passwords: Office) -> None:
    text = await (await sign_in(office_with_passwords, '"><script>x</script>@a.example', "wrong", "/me")).text()
    assert "&lt;script&gt;" in text
    assert hidden(text, "next") == "/me"
    assert "wrong" not in text.replace("wrong.", "")


async def test_a_blocked_person_stays_outside(office_with_passwords: Office) -> None:
    async with office_with_passwords.runtime.units_of_work() as uow:
        person = await staff.person(uow.session, "official")
        assert person is not None
        person.active = False
    assert (await sign_in(office_with_passwords)).status == 422


async def test_wrong_guesses_wait_twice_as_long_each_time(office_with_passwords: Office) -> None:
    office = office_with_passwords
    for _ in range(3):
        assert (await sign_in(office, password="wrong")).status == 422
    answer = await sign_in(office)
    assert answer.status == 429
    assert "chờ 1 giây" in await answer.text() or "chờ 2 giây" in await answer.text()
    office.clock.forward(seconds=3)
    assert (await sign_in(office, password="wrong")).status == 422
    office.clock.forward(seconds=1)
    assert (await sign_in(office)).status == 429
    office.clock.forward(seconds=3)
    assert (await sign_in(office)).status == 303
    assert (await sign_in(office, password="wrong")).status == 422


async def test_one_address_cannot_try_many_people(office_with_passwords: Office) -> None:
    office = office_with_passwords
    statuses = [(await sign_in(office, f"someone{n}@thanhoai.example", "wrong")).status for n in range(21)]
    assert statuses == [422] * 20 + [429]
    assert (await sign_in(office, "leader@thanhoai.example")).status == 429


async def test_another_sites_form_is_refused(office_with_passwords: Office) -> None:
    fields = {"email": EMAIL, "password": PASSWORD}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await office_with_passwords.client.post("/login", data=fields, headers=headers, allow_redirects=False)
        assert answer.status == 403


async def test_signing_in_never_leads_to_another_site(office_with_passwords: Office) -> None:
    answer = await sign_in(office_with_passwords, target="//evil.example/")
    assert answer.headers["Location"] == "/"


async def test_a_one_time_code_is_asked_for_and_works_once(office_with_passwords: Office) -> None:
    office = office_with_passwords
    secret = pyotp.random_base32()
    async with office.runtime.units_of_work() as uow:
        person = await staff.person(uow.session, "official")
        assert person is not None
        person.totp = office.runtime.box.seal(secret)
    asked = await sign_in(office)
    text = await asked.text()
    assert asked.status == 200
    assert not asked.cookies
    fields = {"ticket": hidden(text, "ticket"), "next": "/me", "code": "000000"}
    wrong = await office.client.post("/login/code", data=fields, allow_redirects=False)
    assert wrong.status == 422
    fields["code"] = pyotp.TOTP(secret).at(office.clock.now)
    right = await office.client.post("/login/code", data=fields, allow_redirects=False)
    assert (right.status, right.headers["Location"]) == (303, "/me")
    again = await office.client.post("/login/code", data=fields, allow_redirects=False)
    assert again.status == 422
    assert not again.cookies


@pytest.mark.parametrize("ticket", ["", "official.99999999999.00", "official", "..", "é.9.é"])
async def test_a_forged_ticket_skips_no_password(office_with_passwords: Office, ticket: str) -> None:
    fields = {"ticket": ticket, "code": "123456"}
    answer = await office_with_passwords.client.post("/login/code", data=fields, allow_redirects=False)
    assert answer.status == 422
    assert not answer.cookies


async def test_a_ticket_does_not_live_long(office_with_passwords: Office) -> None:
    office = office_with_passwords
    secret = pyotp.random_base32()
    async with office.runtime.units_of_work() as uow:
        person = await staff.person(uow.session, "official")
        assert person is not None
        person.totp = office.runtime.box.seal(secret)
    ticket = hidden(await (await sign_in(office)).text(), "ticket")
    office.clock.forward(minutes=6)
    fields = {"ticket": ticket, "code": pyotp.TOTP(secret).at(office.clock.now)}
    assert (await office.client.post("/login/code", data=fields, allow_redirects=False)).status == 422


async def test_signing_out_ends_the_session(office: Office) -> None:
    visitor = await office.enter("official")
    answer = await visitor.post("/logout")
    assert answer.headers["Location"].startswith("/login")
    assert (await visitor.get("/")).status == 303


async def test_every_step_leaves_a_trail(office_with_passwords: Office) -> None:
    office = office_with_passwords
    await sign_in(office, password="wrong")
    await sign_in(office)
    async with office.runtime.database.reading() as session:
        actions = [row.action for row in await audit.latest(session, action="staff.")]
    assert actions[:2] == ["staff.sign_in", "staff.sign_in_failed"]

"""What the pages about health tell to whom."""

import pytest

from bot.store import health as store
from bot.store.cases import CaseRow
from bot.store.contacts import ContactRow
from bot.store.credentials import CredentialRow
from bot.store.outbox import OutboxRow
from tests.handlers.console.visitor import Office


async def failed_message(office: Office, case: CaseRow, name: str) -> None:
    async with office.runtime.units_of_work() as uow:
        contact = await uow.session.get(ContactRow, case.contact_id)
        assert contact is not None
        contact.name = name
        row = OutboxRow(
            id=uow.new_id(), account_id="account", contact_id=case.contact_id, case_id=case.id, purpose="answer",
            lane=0, body={"text": "x"}, state="failed", failed_at=uow.now, reason="recipient_inactive",
            created_at=uow.now,
        )  # fmt: skip
        uow.session.add(row)


@pytest.mark.parametrize(
    ("key", "sees_ordinary"), [("admin", False), ("head", True), ("leader", True), ("auditor", True)]
)
async def test_failed_messages_name_citizens_only_to_who_may_see_the_case(
    office: Office, key: str, sees_ordinary: bool
) -> None:
    ordinary = await office.make_case(citizen="1")
    secret = await office.make_case("Cán bộ hách dịch", "thai-do-can-bo", citizen="2")
    await failed_message(office, ordinary, "Trần Văn Mười")
    await failed_message(office, secret, "Lê Thị Chín")
    page = await (await office.enter(key)).page("/health")
    assert "hơn 45 ngày" in page
    assert ("Trần Văn Mười" in page) is sees_ordinary
    assert (f"/cases/{ordinary.id}" in page) is sees_ordinary
    assert "Lê Thị Chín" not in page
    assert secret.id not in page


async def test_readiness_names_what_is_stuck_without_quoting_errors(office: Office) -> None:
    async with office.runtime.units_of_work() as uow:
        await store.job_started(uow.session, "forget", uow.now)
        await store.job_ended(uow.session, "forget", uow.now, "OSError: /srv/secret-place")
        uow.session.add(
            CredentialRow(account_id="account", access_token=b"a", refresh_token=b"r", error="-14002 secret")
        )
    answer = await office.client.get("/readyz")
    assert answer.status == 200
    text = await answer.text()
    assert "secret" not in text
    stuck = {(one["name"], one["subject"]): one["values"] for one in (await answer.json())["stuck"]}
    assert stuck["job", "forget"]["every"] > 0
    assert stuck["account", "account"]["why"] == "refresh_fails"
    assert all(name not in values for values in stuck.values() for name in ("error", "refresh_error"))

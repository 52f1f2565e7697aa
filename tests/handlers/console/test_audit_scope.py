"""The log tells nobody about cases that they may not know of."""

from bot.actions import work_case
from bot.store.staff import StaffRoleRow
from bot.store.unit_of_work import Actor
from tests.handlers.console.visitor import Office

OFFICER = Actor("staff", "leader", "Cán bộ leader")


async def below_the_root(office: Office, role: str = "auditor", unit: str = "economy") -> None:
    """Let the person `stranger` read the log of one division."""
    async with office.runtime.units_of_work() as uow:
        uow.session.add(StaffRoleRow(staff_id="stranger", role=role, unit_id=unit))


async def test_the_log_of_a_unit_is_silent_about_cases_elsewhere(office: Office) -> None:
    mine = await office.make_case(citizen="1")
    theirs = await office.make_case("Có đám đánh nhau ở ngõ 3", "khac", citizen="2")
    async with office.runtime.units_of_work(OFFICER) as uow:
        for case in (mine, theirs):
            await work_case.reveal_phone(uow, case.id)
    await below_the_root(office)
    visitor = await office.enter("stranger")
    for address in ("/admin/audit", "/admin/audit?kind=case", "/admin/audit?kind=contact"):
        page = await visitor.page(address)
        assert mine.code in page, address
        assert theirs.code not in page, address
    assert theirs.code not in await visitor.page(f"/admin/audit?subject=case:{theirs.id}")
    page = await (await office.enter("auditor")).page("/admin/audit")
    assert mine.code in page
    assert theirs.code in page


async def test_the_log_of_a_unit_is_silent_about_restricted_cases(office: Office) -> None:
    secret = await office.make_case("Cán bộ hách dịch", "thai-do-can-bo")
    async with office.runtime.units_of_work(OFFICER) as uow:
        await work_case.hand_over(uow, secret.id, None, "economy", None, "Để xác minh sự việc")
        await work_case.reveal_phone(uow, secret.id)
    await below_the_root(office)
    visitor = await office.enter("stranger")
    assert secret.code not in await visitor.page("/admin/audit")
    await below_the_root(office, "inspector")
    assert secret.code in await visitor.page("/admin/audit")
    page = await (await office.enter("auditor")).page("/admin/audit")
    assert secret.code in page, "whoever watches over the whole tree sees that something was done"

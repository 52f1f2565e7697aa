"""The inspector names the unit complained about; nobody else can, or knows."""

from tests.handlers.console.visitor import Office, hidden

CONDUCT = "Cán bộ một cửa hách dịch"


async def test_the_inspector_names_the_unit_complained_about(office: Office) -> None:
    case = await office.make_case(CONDUCT, "thai-do-can-bo")
    visitor = await office.enter("inspector")
    page = await visitor.page(f"/cases/{case.id}")
    fields = {"complained_unit_id": "economy", "version": hidden(page, "version")}
    answer = await visitor.post(f"/cases/{case.id}/complained-unit", fields)
    assert answer.headers["Location"] == f"/cases/{case.id}?done=saved"
    page = await visitor.page(f"/cases/{case.id}")
    assert "Đơn vị bị phản ánh: Phòng Kinh tế" in page
    assert '<option value="economy" disabled>' in page
    given = {"unit_id": "economy", "reason": "Để đơn vị giải trình"}
    answer = await visitor.post(f"/cases/{case.id}/hand-over", given)
    assert answer.status == 422
    assert "Không chuyển phản ánh cho chính đơn vị bị phản ánh" in await answer.text()
    assert (await visitor.post(f"/cases/{case.id}/complained-unit", fields)).status == 409
    assert (await visitor.post(f"/cases/{case.id}/complained-unit", {"complained_unit_id": "nowhere"})).status == 422


async def test_naming_the_unit_is_for_restricted_cases_and_inspectors(office: Office) -> None:
    case = await office.make_case()
    secret = await office.make_case(CONDUCT, "thai-do-can-bo", citizen="1")
    inspector = await office.enter("inspector")
    assert "complained_unit_id" not in await inspector.page(f"/cases/{case.id}")
    named = {"complained_unit_id": "economy"}
    assert (await inspector.post(f"/cases/{case.id}/complained-unit", named)).status == 404
    for key in ("head", "leader", "official"):
        assert (await (await office.enter(key)).post(f"/cases/{secret.id}/complained-unit", named)).status == 403, key
    assert (await office.case(secret.id)).complained_unit_id is None

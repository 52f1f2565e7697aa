"""The template that carries digits to a dossier's phone is chosen by whoever sets what a unit tells, by nobody else."""

from typing import Any

import pytest

from bot.actions.dossier_code_template import SETTING
from bot.store import units
from bot.store.provider_templates import ProviderTemplateRow
from handlers.console.dossier_code_template import ADMIN_PATH
from handlers.console.dossier_settings import ADMIN_HOME
from tests.handlers.console.visitor import Office

HOME = ADMIN_HOME
PATH = ADMIN_PATH


async def with_templates(office: Office) -> None:
    async with office.runtime.units_of_work() as uow:
        for template_id, kind in (("7", "OTP"), ("8", "CUSTOMER_NAME")):
            more: dict[str, Any] = {"name": "y", "type": "LABEL", "required": template_id == "8"}
            parameters = [{"name": "x", "type": kind}, more]
            row = ProviderTemplateRow(account_id="account", template_id=template_id, name=f"Mẫu {template_id}")
            row.status, row.parameters = "ENABLE", parameters
            uow.session.add(row)


async def chosen(office: Office) -> object:
    async with office.runtime.database.reading() as session:
        unit = await units.unit(session, "commune")
    assert unit is not None
    return unit.settings.get(SETTING)


async def test_a_template_that_carries_digits_is_chosen(office: Office) -> None:
    await with_templates(office)
    visitor = await office.enter("admin")
    assert PATH in await visitor.page(HOME)
    shown = await visitor.page(PATH)
    assert "Mẫu 7" in shown
    assert "Mẫu 8" not in shown
    for value, kept in (("7", "7"), ("none", ""), ("auto", None)):
        answer = await visitor.post(PATH, {"unit_id": "commune", "template": value})
        assert answer.headers["Location"] == f"{HOME}?unit=commune&done=saved"
        assert await chosen(office) == kept
    answer = await visitor.post(PATH, {"unit_id": "commune", "template": "8"})
    assert answer.status == 422
    assert "không gửi được" in await answer.text()


@pytest.mark.parametrize("who", ["official", "head", "inspector"])
async def test_nobody_else_chooses_one(office: Office, who: str) -> None:
    assert (await (await office.enter(who)).post(PATH, {"template": "none"})).status in {403, 404}
    assert await chosen(office) is None

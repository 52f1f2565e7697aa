"""A unit's head and its administrators set what people are told of their dossiers; what is wrong is said in place."""

from typing import Any

import pytest

from bot.actions.dossier_settings import chain_of, choices_of
from bot.domain.dossier import TOLD_BY_DEFAULT, Kind
from bot.store.provider_templates import ProviderTemplateRow
from tests.handlers.console.visitor import Office

HOME, ADMIN_HOME = "/dossiers/settings", "/admin/dossiers"
BANK = {"bin": "970403", "account": "0011 0123 45678", "name": "UBND XA THANH OAI", "label": "Ngân hàng mẫu"}


async def holds(office: Office, unit_id: str = "economy") -> Any:
    async with office.runtime.database.reading() as session:
        return choices_of(await chain_of(session, unit_id))


async def with_template(office: Office) -> None:
    async with office.runtime.units_of_work() as uow:
        parameters: list[dict[str, Any]] = [
            {"name": "ma_ho_so", "type": "CODE", "required": True},
            {"name": "ngay", "type": "DATE"},
        ]
        row = ProviderTemplateRow(
            account_id="account",
            template_id="7",
            name="Báo hồ sơ",
            status="ENABLE",
            by_user=True,
            parameters=parameters,
        )
        uow.session.add(row)


async def test_what_is_chosen_holds_for_the_units_below(office: Office) -> None:
    visitor = await office.enter("admin")
    assert "Theo mặc định" in await visitor.page(ADMIN_HOME)
    assert (await holds(office)).kinds == TOLD_BY_DEFAULT
    form = {"unit_id": "commune", "own_kinds": "1", "kinds": "ready", "desk": "Bàn số 1", "days": "3", **BANK}
    answer = await visitor.post(ADMIN_HOME, form | {"warns": "heads"})
    assert answer.headers["Location"] == f"{ADMIN_HOME}?unit=commune&done=saved"
    found = await holds(office)
    assert (found.kinds, found.desk, found.days_before, found.warns) == ({Kind.READY}, "Bàn số 1", 3, "heads")
    assert found.bank["account"] == "0011012345678"
    page = await visitor.page(f"{ADMIN_HOME}?unit=economy")
    assert "0011012345678" in page
    assert "Bàn số 1" in page
    assert (await visitor.post(ADMIN_HOME, {"unit_id": "commune"})).status == 303
    assert (await holds(office)).kinds == TOLD_BY_DEFAULT
    assert (await holds(office)).bank == {}
    assert "Đổi thiết lập tin báo hồ sơ" in await visitor.page("/admin/audit?kind=unit")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("bin", "97040", "6 chữ số"),
        ("account", "12-3*", "chữ và số"),
        ("name", "", "Chưa nhập"),
        ("days", "11", "từ 1 đến 10"),
        ("desk", "x" * 301, "tối đa 300"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    office: Office, field: str, value: str, words: str
) -> None:
    visitor = await office.enter("admin")
    answer = await visitor.post(
        ADMIN_HOME, {"unit_id": "commune", "own_kinds": "1", "kinds": "fee", **BANK, field: value}
    )
    page = await answer.text()
    assert answer.status == 422
    assert words in page
    assert "Ngân hàng mẫu" in page
    assert (await holds(office)).bank == {}


async def test_templates_are_chosen_for_each_kind_with_what_fills_them(office: Office) -> None:
    await with_template(office)
    visitor = await office.enter("admin")
    assert "Chưa chọn mẫu" in await visitor.page(ADMIN_HOME)
    address = f"{ADMIN_HOME}/templates/ready"
    page = await visitor.page(f"{address}?unit=economy&template_account=7")
    assert 'value="{{mã hồ sơ}}"' in page
    assert 'value="{{ngày hẹn}}"' in page
    form = {"unit_id": "economy", "template_account": "7", "p:account:ma_ho_so": "{{mã hồ sơ}}"}
    wrong = await visitor.post(address, form | {"p:account:ngay": "{{ngày sinh}}"})
    assert wrong.status == 422
    assert "ngày sinh" in await wrong.text()
    assert (await visitor.post(address, form | {"p:account:ngay": "{{ngày hẹn}}"})).status == 303
    kept = (await holds(office)).templates["ready"]["account"]
    assert kept == {"template_id": "7", "parameters": {"ma_ho_so": "{{mã hồ sơ}}", "ngay": "{{ngày hẹn}}"}}
    assert (await holds(office, "commune")).templates == {}
    assert "Báo hồ sơ" in await visitor.page(f"{ADMIN_HOME}?unit=economy")
    assert (await visitor.post(address, {"unit_id": "economy"})).status == 303
    assert (await holds(office)).templates == {}


async def test_only_heads_and_administrators_set_anything(office: Office) -> None:
    head = await office.enter("head")
    assert (await head.post(HOME, {"unit_id": "economy", "desk": "Bàn số 2"})).status == 303
    assert (await head.post(HOME, {"unit_id": "commune", "desk": "Bàn số 3"})).status == 404
    assert "Bàn số 2" in await head.page(HOME)
    assert (await head.get(f"{ADMIN_HOME}?unit=economy")).status == 403
    official = await office.enter("official")
    assert "Chỉ trưởng đơn vị" in await official.page(HOME)
    assert (await official.post(HOME, {"unit_id": "economy", "desk": "Bàn số 4"})).status == 404
    assert (await holds(office)).desk == "Bàn số 2"
    assert (await head.get(f"{HOME}/templates/nonsense?unit=economy")).status == 404

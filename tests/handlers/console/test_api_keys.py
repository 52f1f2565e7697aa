"""Keys of other systems in administration."""

import re

import pytest

from bot.store import api_keys
from bot.store.api_keys import ApiKeyRow
from tests.handlers.console.visitor import Office

HOME = "/admin/api-keys"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def keys(office: Office) -> list[ApiKeyRow]:
    async with office.runtime.database.reading() as session:
        return await api_keys.of_units(session, ["commune", "office", "economy", "police"])


async def test_a_key_is_made_shown_once_used_and_revoked(office: Office) -> None:
    visitor = await office.enter("admin")
    assert "Chưa cấp khoá nào" in await visitor.page(HOME)
    answer = await visitor.post(HOME, {"unit_id": "office", "name": " Một  cửa <xã> "})
    shown = await answer.text()
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    (key,) = re.findall(r"loa_[\w-]{43}", shown)
    (row,) = await keys(office)
    assert (row.name, row.unit_id, row.made_by) == ("Một cửa <xã>", "office", "admin")
    page = await visitor.page(HOME)
    assert key not in page
    assert "Một cửa &lt;xã&gt;" in page
    assert f"…{key[-4:]}" in page
    assert "chưa dùng" in page
    given = {"Authorization": f"Bearer {key}"}
    assert (await office.client.get("/api/v1/dossiers/x", headers=given)).status == 404
    assert "dùng lần cuối" in await visitor.page(HOME)
    revoked = await visitor.post(f"{HOME}/{row.id}/revoke")
    assert revoked.headers["Location"] == f"{HOME}?done=key_revoked"
    assert (await office.client.get("/api/v1/dossiers/x", headers=given)).status == 401
    page = await visitor.page(f"{HOME}?done=key_revoked")
    assert "Đã thu hồi khoá" in page
    assert f"/{row.id}/revoke" not in page
    trail = await visitor.page("/admin/audit?kind=api_key")
    assert "Cấp khoá API" in trail
    assert "Thu hồi khoá API" in trail
    assert key not in trail


async def test_what_is_wrong_is_said_and_what_was_typed_kept(office: Office) -> None:
    visitor = await office.enter("admin")
    await visitor.post(HOME, {"unit_id": "office", "name": "Một cửa"})
    for name, words in (("", "Chưa nhập"), ("x" * 81, "Quá dài"), ("Một cửa", "Đã có mục mang tên này")):
        answer = await visitor.post(HOME, {"unit_id": "office", "name": name})
        assert answer.status == 422
        page = await answer.text()
        assert words in page
        assert 'value="office" selected' in page
    assert (await visitor.post(HOME, {"unit_id": "nowhere", "name": "x"})).status == 404
    assert (await visitor.post(f"{HOME}/nowhere/revoke")).status == 404
    assert len(await keys(office)) == 1


async def test_only_administrators_keep_keys(office: Office) -> None:
    for person in ("official", "head", "leader", "auditor"):
        visitor = await office.enter(person)
        assert (await visitor.get(HOME)).status == 403
        assert (await visitor.post(HOME, {"unit_id": "office", "name": "x"})).status == 403

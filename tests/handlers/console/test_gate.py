"""Who gets through to which page, and what stands on every answer."""

import re

import pytest

from bot.domain.access import GRANTS, Permission, Role
from handlers.middlewares import CONTENT_SECURITY_POLICY, safe_next
from handlers.routes import TABLE
from tests.commune import ROLES
from tests.handlers.console.visitor import Office

PUBLIC = {"/webhooks/", "/api/v1/", "/healthz", "/readyz", "/metrics", "/zalo_verifier", "/static/", "/login"}


def test_every_address_stands_once_in_the_table() -> None:
    keys = [(route.method, route.path) for route in TABLE]
    assert len(keys) == len(set(keys))


def test_only_sign_in_machines_and_files_are_public() -> None:
    public = [route.path for route in TABLE if route.permission is Permission.PUBLIC]
    assert all(any(path.startswith(known) for known in PUBLIC) for path in public)


async def test_nobody_gets_in_without_signing_in(office: Office) -> None:
    for route in TABLE:
        if route.permission is Permission.PUBLIC:
            continue
        path = re.sub(r"\{\w+\}", "1", route.path)
        answer = await office.client.request(route.method, path, allow_redirects=False)
        assert answer.status == (401 if path == "/events" else 303), path
        if answer.status == 303:
            assert answer.headers["Location"].startswith("/login"), path


async def test_the_page_asked_for_is_remembered(office: Office) -> None:
    answer = await office.client.get("/admin/audit?kind=case", allow_redirects=False)
    assert answer.headers["Location"] == "/login?next=/admin/audit%3Fkind%3Dcase"


async def test_a_part_asked_for_by_htmx_sends_the_whole_page_to_sign_in(office: Office) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://127.0.0.1/cases/1?x=1"}
    answer = await office.client.get("/health", headers=headers, allow_redirects=False)
    assert answer.status == 401
    assert answer.headers["HX-Redirect"] == "/login?next=/cases/1%3Fx%3D1"


@pytest.mark.parametrize("key", list(ROLES))
async def test_roles_open_the_pages_their_permissions_name(office: Office, key: str) -> None:
    visitor = await office.enter(key)
    held = GRANTS[Role(ROLES[key][0])]
    for route in TABLE:
        if route.method != "GET" or "{" in route.path or route.path in {"/events", "/admin/rules/try"}:
            continue
        if route.path == "/admin/accounts/connected" or route.permission is Permission.PUBLIC:
            continue
        status = (await visitor.get(route.path)).status
        allowed = route.permission is Permission.SIGNED_IN or route.permission in held
        expected = {200, 303} if allowed else {403}
        assert status in expected, (key, route.path, status)


@pytest.mark.parametrize("key", list(ROLES))
async def test_roles_may_send_only_what_their_permissions_name(office: Office, key: str) -> None:
    visitor = await office.enter(key)
    held = GRANTS[Role(ROLES[key][0])]
    for route in TABLE:
        if route.method != "POST" or route.permission in {Permission.PUBLIC, Permission.SIGNED_IN, *held}:
            continue
        path = re.sub(r"\{\w+\}", "1", route.path)
        assert (await visitor.post(path)).status == 403, (key, path)


async def test_a_form_without_the_sessions_token_is_refused(office: Office) -> None:
    visitor, other = await office.enter("official"), await office.enter("head")
    for wrong in ("", "wrong", other.csrf, "é"):
        answer = await visitor.post("/me/language", {"language": "en"}, csrf=wrong)
        assert answer.status == 403
        assert "mở quá lâu" in await answer.text()
    assert (await visitor.post("/me/language", {"language": "en"})).status == 303


async def test_the_token_may_travel_in_a_header(office: Office) -> None:
    visitor = await office.enter("official")
    answer = await visitor.post("/me/language", {"language": "en"}, csrf="", **{"X-CSRF-Token": visitor.csrf})
    assert answer.status == 303


async def test_a_session_ends_when_unused_too_old_or_ended(office: Office) -> None:
    visitor = await office.enter("official")
    office.clock.forward(minutes=119)
    assert (await visitor.get("/")).status == 200
    office.clock.forward(minutes=119)
    assert (await visitor.get("/")).status == 200
    office.clock.forward(minutes=121)
    assert (await visitor.get("/")).status == 303
    visitor = await office.enter("official")
    for _ in range(11):
        office.clock.forward(hours=1)
        assert (await visitor.get("/")).status == 200
    office.clock.forward(hours=1)
    assert (await visitor.get("/")).status == 303


async def test_a_page_that_renews_itself_keeps_nobody_signed_in(office: Office) -> None:
    visitor = await office.enter("official")
    for _ in range(2):
        office.clock.forward(minutes=59)
        assert (await visitor.get("/", **{"X-Live": "1"})).status == 200
    office.clock.forward(minutes=3)
    assert (await visitor.get("/")).status == 303


async def test_a_forged_cookie_signs_nobody_in(office: Office) -> None:
    visitor = await office.enter("official")
    visitor.token = visitor.token[:-1] + ("A" if visitor.token[-1] != "A" else "B")
    assert (await visitor.get("/")).status == 303


async def test_pages_forbid_foreign_scripts_and_are_not_kept(office: Office) -> None:
    visitor = await office.enter("official")
    for path in ("/", "/login", "/nowhere"):
        answer = await visitor.get(path)
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        text = await answer.text()
        assert " style=" not in text
        assert "<script>" not in text


async def test_what_is_missing_or_wrong_is_said_in_words(office: Office) -> None:
    visitor = await office.enter("official")
    missing = await visitor.get("/nowhere")
    assert missing.status == 404
    assert "Không tìm thấy" in await missing.text()
    forbidden = await visitor.get("/admin/staff")
    assert forbidden.status == 403
    assert "không có quyền" in await forbidden.text()


@pytest.mark.parametrize("path", ["/cases/%00", "/?q=%00", "/?category=%00", "/media/x%00", "/events?topics=case:%00"])
async def test_text_that_no_database_takes_finds_nothing(office: Office, path: str) -> None:
    assert (await (await office.enter("official")).get(path)).status == 404


async def test_a_failure_is_a_page_and_not_a_trace(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("bot.store.units.all_units", broken)
    answer = await (await office.enter("official")).get("/")
    assert answer.status == 500
    text = await answer.text()
    assert "lỗi ngoài dự kiến" in text
    assert "secret detail" not in text


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb", "", "evil", "/login"],
)
def test_signing_in_never_leads_elsewhere(target: str) -> None:
    assert safe_next(target) == "/"


def test_signing_in_leads_where_one_wanted_to_go() -> None:
    assert safe_next("/cases/1?x=1&y=2#z") == "/cases/1?x=1&y=2#z"


async def test_files_are_served_for_good_under_their_hash(office: Office) -> None:
    page = await (await office.client.get("/login")).text()
    address = page.split('src="/static/theme.js')[1].split('"')[0]
    answer = await office.client.get(f"/static/theme.js{address}")
    assert "immutable" in answer.headers["Cache-Control"]
    assert (await office.client.get("/static/theme.js?v=0")).headers["Cache-Control"] == "public, max-age=60"
    again = await office.client.get("/static/theme.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304


@pytest.mark.parametrize("name", ["../handlers/app.py", "..%2f..%2fconfig.toml", "nothing.js", "vendor/../../app.py"])
async def test_files_outside_are_not_served(office: Office, name: str) -> None:
    assert (await office.client.get(f"/static/{name}")).status == 404

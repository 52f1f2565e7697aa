"""Tokens: single use, the old pair dead at once, errors with HTTP 200, the permission page."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.simulator.tests.conftest import APP_ID, APP_SECRET, BUSINESS, DAY, STATE, Town

CALLBACK = "http://127.0.0.1:9/callback"
VERIFIER = "v" * 43


async def test_a_refresh_token_works_once_and_the_old_access_token_dies(town: Town) -> None:
    oa = town.simulator.provider.world.oas[STATE]
    old_access, old_refresh = oa.access_token, oa.refresh_token
    fresh = await town.refresh(STATE)
    assert fresh["expires_in"] == "90000"
    assert (fresh["access_token"], fresh["refresh_token"]) == (oa.access_token, oa.refresh_token)
    assert (await town.call(STATE, "/v3.0/oa/quota/message", {"quota_owner": "OA"}, old_access))["error"] == -216
    assert (await town.call(STATE, "/v3.0/oa/quota/message", {"quota_owner": "OA"}))["error"] == 0
    again = await town.refresh(STATE, old_refresh)
    assert again["error"] == -14014
    assert {"error_name", "error_description", "error_reason", "ref_doc"} <= set(again)
    assert oa.access_token == fresh["access_token"]


async def test_the_other_oa_keeps_its_tokens(town: Town) -> None:
    before = town.token(BUSINESS)
    await town.refresh(STATE)
    assert town.token(BUSINESS) == before


async def test_a_refresh_token_lives_three_months(town: Town) -> None:
    await town.simulator.verbs.advance(seconds=90 * DAY + 1)
    assert (await town.refresh(STATE))["error"] == -14014


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"grant_type": "password"}, -14018),
        ({"app_id": "5"}, -14002),
        ({"secret": "wrong"}, -14004),
        ({"refresh_token": "made-up"}, -14014),
        ({"grant_type": "authorization_code", "code": "made-up"}, -14005),
    ],
)
async def test_refusals_come_with_http_200_and_change_nothing(town: Town, changes: dict[str, str], code: int) -> None:
    before = town.token(STATE)
    assert (await town.refresh(STATE, **changes))["error"] == code
    assert town.token(STATE) == before


def challenge() -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


async def permit(town: Town, **query: str) -> dict[str, str]:
    """Ask for a grant and return what the callback would get."""
    asked = {"app_id": APP_ID, "redirect_uri": CALLBACK, "state": "s1", "oa_id": STATE} | query
    url = f"{town.simulator.url}/v4/oa/permission"
    async with town.http.get(url, params=asked, allow_redirects=False) as answer:
        assert answer.status == 302
        return {key: value[0] for key, value in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


async def exchange(town: Town, code: str, verifier: str = VERIFIER) -> dict[str, object]:
    form = {"app_id": APP_ID, "grant_type": "authorization_code", "code": code, "code_verifier": verifier}
    headers = {"secret_key": APP_SECRET}
    async with town.http.post(f"{town.simulator.url}/v4/oa/access_token", data=form, headers=headers) as answer:
        return dict(await answer.json())


async def test_a_grant_gives_a_code_that_works_once(town: Town) -> None:
    given = await permit(town, code_challenge=challenge())
    assert (given["oa_id"], given["state"]) == (STATE, "s1")
    tokens = await exchange(town, given["code"])
    assert tokens["access_token"] == town.token(STATE)
    assert (await exchange(town, given["code"]))["error"] == -14005


async def test_a_code_needs_its_verifier_and_ends_after_ten_minutes(town: Town) -> None:
    code = (await permit(town, code_challenge=challenge()))["code"]
    assert (await exchange(town, code, "w" * 43))["error"] == -14005
    code = (await permit(town))["code"]
    await town.simulator.verbs.advance(seconds=601)
    assert (await exchange(town, code))["error"] == -14005


async def test_a_person_chooses_among_the_oas_of_an_app(town: Town) -> None:
    await town.simulator.verbs.set_oa(oa_id=STATE, name="<b>xã</b>")
    query = {"app_id": APP_ID, "redirect_uri": CALLBACK}
    async with town.http.get(f"{town.simulator.url}/v4/oa/permission", params=query) as answer:
        page = await answer.text()
    assert f'data-testid="grant-{STATE}"' in page
    assert "<b>" not in page


async def test_a_callback_must_be_the_saved_one(town: Town) -> None:
    await town.simulator.verbs.set_oa(oa_id=STATE, callback_url=CALLBACK)
    for query, code in (
        ({"app_id": APP_ID, "oa_id": STATE, "redirect_uri": CALLBACK + "2"}, -14003),
        ({"app_id": APP_ID, "oa_id": STATE}, -14003),
        ({"app_id": "5", "redirect_uri": CALLBACK}, -14002),
    ):
        async with town.http.get(f"{town.simulator.url}/v4/oa/permission", params=query) as answer:
            assert (answer.status, (await answer.json())["error"]) == (200, code)

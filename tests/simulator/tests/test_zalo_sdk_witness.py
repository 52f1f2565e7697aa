"""A witness from outside: the published zalo-sdk client finds in the simulator the Zalo it was written for."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import requests
import zalo_sdk
from zalo_sdk.oa.Client import Client
from zalo_sdk.oa.ZaloMessage import ZaloAttachment, ZaloMessageBody, ZaloRecipient

from tests.simulator.pictures import scene
from tests.simulator.simulator import Phone
from tests.simulator.tests.conftest import APP_ID, APP_SECRET, BUSINESS, Town

OAUTH = "https://oauth.zaloapp.com"


@pytest.fixture
async def citizen(town: Town) -> Phone:
    phone = await town.simulator.phone(BUSINESS)
    await phone.say("xin chào")
    return phone


@pytest.fixture
def client(town: Town, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Point the client at the simulator; the OAuth address stands in its code, so it is moved on the way out."""
    post: Callable[..., requests.Response] = requests.post

    def moved(url: str, **settings: Any) -> requests.Response:
        return post(url.replace(OAUTH, town.simulator.url), timeout=10, **settings)

    monkeypatch.setattr(requests, "post", moved)
    oa = town.simulator.provider.world.oas[BUSINESS]
    return Client(APP_ID, APP_SECRET, oa.access_token, oa.refresh_token, endpoint_prefix=town.simulator.url)


async def test_it_sends_a_text(citizen: Phone, client: Client) -> None:
    answer = await asyncio.to_thread(
        client.send_message, ZaloRecipient(user_id=citizen.user_id), ZaloMessageBody(text="Kính chào Ông/Bà")
    )
    assert citizen.inbox[0].msg_id == answer["data"]["message_id"]
    assert citizen.inbox[0].text == "Kính chào Ông/Bà"


async def test_it_refreshes_its_token_and_goes_on(town: Town, citizen: Phone, client: Client) -> None:
    old = client.refresh_token
    access, refresh, _expires = await asyncio.to_thread(client.refresh_acccess_token)
    assert (access, refresh) == (town.token(BUSINESS), town.simulator.provider.world.oas[BUSINESS].refresh_token)
    await asyncio.to_thread(client.send_message, ZaloRecipient(user_id=citizen.user_id), ZaloMessageBody(text="a"))
    client.refresh_token = old
    with pytest.raises(zalo_sdk.ZaloException):
        await asyncio.to_thread(client.refresh_acccess_token)


async def test_it_uploads_a_picture_and_sends_it(citizen: Phone, client: Client) -> None:
    uploaded = await asyncio.to_thread(client.upload_file, scene("canh-dong"), "image", "anh.png", "image/png")
    elements = [{"media_type": "image", "attachment_id": uploaded["data"]["attachment_id"]}]
    body = ZaloMessageBody(attachment=ZaloAttachment("template", {"template_type": "media", "elements": elements}))
    await asyncio.to_thread(client.send_message, ZaloRecipient(user_id=citizen.user_id), body)
    assert (citizen.inbox[0].kind, len(citizen.inbox[0].images)) == ("image", 1)


async def test_it_reads_a_profile_the_oa_and_its_quota(town: Town, citizen: Phone, client: Client) -> None:
    profile = await asyncio.to_thread(client.get_user_detail, citizen.user_id)
    assert profile["data"]["display_name"] == "Công dân Thử Nghiệm"
    url = f"{town.simulator.url}/v2.0/oa/getoa"
    headers = client.create_request_header("GET")
    answer = await asyncio.to_thread(client.send_request, "GET", url, headers=headers)
    assert answer.json()["data"]["oa_type"] == 2
    quota = await asyncio.to_thread(client.get_zalo_oa_quotas, "OA", "cs")
    assert quota["data"][0]["remain"] == 500


async def test_it_understands_a_refusal(town: Town, client: Client) -> None:
    stranger = await town.simulator.phone(BUSINESS)
    recipient = ZaloRecipient(user_id=stranger.user_id)
    with pytest.raises(zalo_sdk.ZaloOAException, match="-232"):
        await asyncio.to_thread(client.send_message, recipient, ZaloMessageBody(text="a"))

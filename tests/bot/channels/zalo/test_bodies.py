"""What goes over the wire for each kind of message, on both of Zalo's message APIs."""

from dataclasses import replace
from typing import Any

import pytest

from bot.channels.channel import AccountRef, Recipient
from bot.channels.zalo.bodies import send_body, shaped, texts_of
from bot.channels.zalo.limits import V2, V3, capabilities
from bot.channels.zalo.uploads import Uploaded
from bot.domain.delivery import MessageInvalidError
from bot.domain.message import Button, Media, Message, fit

STATE = AccountRef("a", "2222333344445555666", "state")
CITIZEN = Recipient("3333444455556666777")
MENU = (Button("Phản ánh", "#phananh"), Button("Cổng dịch vụ công", url="https://dichvucong.gov.vn"))


def content(message: Message, endpoint: str, uploaded: Uploaded | None = None) -> dict[str, Any]:
    found: dict[str, Any] = send_body(CITIZEN, shaped(STATE, message, endpoint), endpoint, uploaded)["message"]
    return found


@pytest.mark.parametrize("endpoint", [V2, V3])
def test_words_go_as_they_are_but_composed(endpoint: str) -> None:
    assert send_body(CITIZEN, shaped(STATE, Message(text="Da\u0323 cha\u0300o"), endpoint), endpoint, None) == {
        "recipient": {"user_id": "3333444455556666777"},
        "message": {"text": "Dạ chào"},
    }


def test_an_anonymous_visitor_is_addressed_by_conversation() -> None:
    body = send_body(Recipient("0957b95d", "fe124e55"), Message(text="Dạ"), V2, None)
    assert body["recipient"] == {"anonymous_id": "0957b95d", "conversation_id": "fe124e55"}


def test_a_quote_is_known_on_v3_only() -> None:
    message = Message(text="Dạ", replies_to="m1")
    assert content(message, V3) == {"text": "Dạ", "quote_message_id": "m1"}
    assert content(message, V2) == {"text": "Dạ"}


def test_buttons_are_taps_on_v2() -> None:
    assert content(Message(text="Mời chọn", buttons=MENU), V2) == {
        "text": "Mời chọn",
        "attachment": {
            "type": "template",
            "payload": {
                "buttons": [
                    {"title": "Phản ánh", "type": "oa.query.hide", "payload": "#phananh"},
                    {
                        "title": "Cổng dịch vụ công",
                        "type": "oa.open.url",
                        "payload": {"url": "https://dichvucong.gov.vn"},
                    },
                ]
            },
        },
    }


def test_buttons_are_lines_on_v3() -> None:
    expected = "Mời chọn\n1. Phản ánh\n2. Cổng dịch vụ công: https://dichvucong.gov.vn"
    assert content(Message(text="Mời chọn", buttons=MENU), V3) == {"text": expected}


def test_a_button_without_payload_comes_back_as_its_label() -> None:
    (button,) = content(Message(text="?", buttons=(Button("Có"),)), V2)["attachment"]["payload"]["buttons"]
    assert button["payload"] == "Có"


def test_buttons_beside_a_picture_become_lines() -> None:
    message = Message(text="Mời chọn", buttons=MENU[:1], media=Media("f1", "image", "a.jpg"))
    assert content(message, V2, Uploaded("image", "att1")) == {
        "text": "Mời chọn\n1. Phản ánh",
        "attachment": {
            "type": "template",
            "payload": {"template_type": "media", "elements": [{"media_type": "image", "attachment_id": "att1"}]},
        },
    }


def test_a_gif_carries_its_size() -> None:
    message = Message(media=Media("f1", "image", "a.gif"))
    element = content(message, V3, Uploaded("gif", "att1", 320, 200))["attachment"]["payload"]["elements"][0]
    assert element == {"media_type": "gif", "attachment_id": "att1", "width": 320, "height": 200}


def test_a_file_goes_alone_by_token() -> None:
    message = Message(media=Media("f1", "file", "a.pdf"))
    assert content(message, V3, Uploaded("file", "t1")) == {"attachment": {"type": "file", "payload": {"token": "t1"}}}
    with pytest.raises(MessageInvalidError, match="text_beside_file"):
        shaped(STATE, replace(message, text="Kèm tệp"), V3)


def test_fitting_sends_the_words_beside_a_file_on_their_own() -> None:
    message = Message(text="Kèm tệp", media=Media("f1", "file", "a.pdf"), replies_to="m1")
    assert fit(message, capabilities(replace(STATE, kind="business"))) == [
        Message(media=message.media),
        Message(text="Kèm tệp", replies_to="m1"),
    ]
    assert fit(replace(message, text=""), capabilities(STATE)) == [Message(media=message.media)]


def test_a_request_for_contact_data_is_a_card() -> None:
    message = Message(
        title="Để lại số điện thoại", text="Để cán bộ gọi lại", asks_contact=True, image_url="https://x/y.jpg"
    )
    for endpoint in (V2, V3):
        assert content(message, endpoint) == {
            "attachment": {
                "type": "template",
                "payload": {
                    "template_type": "request_user_info",
                    "elements": [
                        {
                            "title": "Để lại số điện thoại",
                            "subtitle": "Để cán bộ gọi lại",
                            "image_url": "https://x/y.jpg",
                        }
                    ],
                },
            }
        }


def test_a_request_without_title_takes_its_first_line() -> None:
    message = Message(text=f"Để lại số điện thoại\n{'chữ ' * 300}", asks_contact=True)
    (element,) = content(message, V3)["attachment"]["payload"]["elements"]
    assert element["title"] == "Để lại số điện thoại"
    assert len(element["subtitle"]) <= 500


def test_a_title_with_a_picture_is_a_list_on_v2_and_words_on_v3() -> None:
    message = Message(title="Đăng ký khai sinh", text="Hồ sơ", image_url="https://x/y.jpg", buttons=MENU)
    elements = content(message, V2)["attachment"]["payload"]["elements"]
    assert elements[0] == {"title": "Đăng ký khai sinh", "subtitle": "Hồ sơ", "image_url": "https://x/y.jpg"}
    assert elements[1]["default_action"] == {"type": "oa.query.hide", "payload": "#phananh"}
    assert elements[2]["default_action"] == {"type": "oa.open.url", "url": "https://dichvucong.gov.vn"}
    assert content(message, V3)["text"].startswith("Đăng ký khai sinh\nHồ sơ\n1. Phản ánh")


def test_a_title_alone_is_the_first_line() -> None:
    assert content(Message(title="Thông báo", text="Họp thôn"), V2) == {"text": "Thông báo\nHọp thôn"}


def test_what_does_not_fit_in_one_piece_is_refused_here() -> None:
    with pytest.raises(MessageInvalidError, match="text_too_long"):
        shaped(STATE, Message(text="x" * 2001), V3)
    with pytest.raises(MessageInvalidError, match="text_too_long"):
        shaped(STATE, Message(text="x" * 1990, buttons=MENU), V3)
    with pytest.raises(MessageInvalidError, match="message_empty"):
        shaped(STATE, Message(), V3)


def test_the_texts_to_look_for_are_clean() -> None:
    assert texts_of(Message(title="A", text=" Da\u0323 \n")) == {"A", "Dạ"}

"""Messages are split and degraded once, for every channel."""

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.message import Button, Capabilities, Media, Message, fit

BUTTONS = tuple(Button(f"Mục {n}", f"#muc{n}") for n in range(1, 4))


def test_a_message_that_fits_is_left_alone() -> None:
    message = Message("Xin chào", BUTTONS)
    assert fit(message, Capabilities(max_text=2000, max_buttons=5)) == [message]


def test_buttons_become_numbers_where_there_are_none() -> None:
    [message] = fit(Message("Chọn:", BUTTONS), Capabilities(max_text=2000))
    assert message.text == "Chọn:\n1. Mục 1\n2. Mục 2\n3. Mục 3"
    assert message.buttons == ()


def test_too_many_buttons_become_numbers_too() -> None:
    [message] = fit(Message("Chọn:", BUTTONS), Capabilities(max_text=2000, max_buttons=2))
    assert message.buttons == ()


def test_buttons_stay_with_the_last_part_and_the_quote_with_the_first() -> None:
    parts = fit(
        Message("một hai ba bốn năm " * 20, BUTTONS, replies_to="m1"),
        Capabilities(max_text=100, max_buttons=5, quotes=True),
    )
    assert [bool(p.buttons) for p in parts] == [False] * (len(parts) - 1) + [True]
    assert parts[0].replies_to == "m1"
    assert not any(p.replies_to for p in parts[1:])


def test_a_picture_goes_before_a_text_that_is_too_long_for_one_message() -> None:
    parts = fit(Message("chữ " * 100, media=Media("f", "image", "a.jpg")), Capabilities(max_text=100))
    assert [p.media is not None for p in parts] == [True] + [False] * (len(parts) - 1)


@given(
    st.builds(
        Message,
        text=st.text(),
        buttons=st.lists(st.builds(Button, st.text(min_size=1), st.text()), max_size=3).map(tuple),
        asks_contact=st.booleans(),
        parameters=st.dictionaries(st.text(), st.text(), max_size=2),
        replies_to=st.none() | st.text(min_size=1),
    )
)
def test_a_message_survives_being_stored(message: Message) -> None:
    assert Message.from_json(message.to_json()) == message


@given(st.text(), st.integers(20, 200), st.integers(0, 3))
def test_every_part_fits(text: str, limit: int, buttons: int) -> None:
    parts = fit(Message(text, BUTTONS), Capabilities(max_text=limit, max_buttons=buttons))
    assert all(len(p.text) <= limit for p in parts)

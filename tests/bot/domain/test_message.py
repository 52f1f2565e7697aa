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


def test_blanks_alone_are_no_part() -> None:
    assert [p.text for p in fit(Message(" " * 50), Capabilities(max_text=20))] == [""]


@given(st.text(alphabet="aă😀🇻\n ", max_size=300), st.integers(20, 100))
def test_emoji_count_double_where_a_provider_counts_so(text: str, limit: int) -> None:
    parts = fit(Message(text), Capabilities(max_text=limit, utf16=True))
    assert all(len(p.text.encode("utf-16-le")) // 2 <= limit for p in parts)
    assert "".join("".join(p.text for p in parts).split()) == "".join(text.split())


def test_a_caption_longer_than_a_picture_may_have_follows_as_text() -> None:
    parts = fit(
        Message("chữ " * 100, media=Media("f", "image", "a.jpg"), title="Đã xong"),
        Capabilities(max_text=1000, max_caption=100),
    )
    assert [(p.media is not None, bool(p.text), p.title) for p in parts] == [
        (True, False, "Đã xong"),
        (False, True, ""),
    ]


def test_an_edit_replaces_by_its_first_part_and_is_a_new_message_elsewhere() -> None:
    card = Message("một hai ba bốn năm " * 20, title="Phản ánh", edits="7:1")
    parts = fit(card, Capabilities(max_text=100, edits=True))
    assert [p.edits for p in parts] == ["7:1"] + [None] * (len(parts) - 1)
    assert [p.title for p in parts] == ["Phản ánh"] + [""] * (len(parts) - 1)
    assert all(p.edits is None for p in fit(card, Capabilities(max_text=100)))

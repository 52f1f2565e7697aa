"""Texts are made of templates and of what people write; nothing that people write is taken for the template's."""

import pytest

from bot import render
from bot.domain.message import Button

LINE = "Kính gửi Ông/Bà.\n---\nUBND xã trân trọng cảm ơn. | Hết"
"""What officials do write: a line of hyphens above their signature."""


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("citizen/answer", {"unit": "UBND xã", "code": "PA-7K3M9", "answer": LINE}),
        ("citizen/ask_back", {"unit": "UBND xã", "code": "PA-7K3M9", "question": LINE}),
        ("citizen/refused", {"unit": "UBND xã", "code": "PA-7K3M9", "reason": LINE, "basis": LINE}),
        ("citizen/forwarded", {"unit": "UBND xã", "code": "PA-7K3M9", "agency": "Công ty Điện lực", "reason": LINE}),
    ],
)
def test_a_line_of_hyphens_in_an_official_s_words_stays_words(name: str, values: dict[str, str]) -> None:
    """It would end the text, and make a button of the rest that no provider takes."""
    plain = render.message(name, {**values, **{key: "chữ" for key, value in values.items() if value == LINE}})
    message = render.message(name, values)
    assert message.text == render.words(name, values)
    assert LINE in message.text
    assert message.buttons == plain.buttons


def test_buttons_stand_below_the_line_of_the_template() -> None:
    message = render.message("citizen/rate", {"code": "PA-7K3M9"})
    assert "---" not in message.text
    assert message.buttons
    assert all("PA-7K3M9" in button.payload for button in message.buttons)


def test_a_sign_in_a_name_does_not_cut_its_button() -> None:
    environment = render.environment()
    template = environment.from_string(f"Chọn:\n{render._MARK}\n{{{{ name }}}} | #1\nThoát")
    assert render.read(template.render(name="Điện | nước")).buttons == (
        Button("Điện | nước", "#1"),
        Button("Thoát", "Thoát"),
    )

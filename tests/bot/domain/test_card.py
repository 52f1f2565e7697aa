"""The words of the pocket desk: codes, commands, and what a group may not read."""

import pytest

from bot.domain.card import command, kind_of, link_code, new_link_code
from bot.domain.privacy import mask_phones


@pytest.mark.parametrize("text", [
    "LK-7K3M9ABC", "lk-7k3m9abc", " LK 7K3M9ABC ", "LK7K3M9ABC", "/start LK-7K3M9ABC", "/start@loa_bot  LK-7K3M9ABC",
])  # fmt: skip
def test_a_code_is_read_however_it_is_sent(text: str) -> None:
    assert link_code(text) == "LK-7K3M9ABC"


@pytest.mark.parametrize("text", [
    "", "/start", "LK-7K3M9AB", "LK-7K3M9ABCD", "LK-0OI17K3M", "PA-7K3M9", "mã LK-7K3M9ABC", "/start PA-7K3M9",
])  # fmt: skip
def test_other_words_are_no_code(text: str) -> None:
    assert link_code(text) is None


def test_codes_are_read_back_and_differ() -> None:
    made = {new_link_code() for _ in range(200)}
    assert len(made) == 200
    assert all(link_code(code) == code for code in made)


@pytest.mark.parametrize(("text", "wanted"), [
    ("/viec", ("viec", "")), ("/VIEC@loa_bot", ("viec", "")), ("/tim  đèn đường ", ("tim", "đèn đường")),
    ("/tim@loa_bot PA-7K3M9", ("tim", "PA-7K3M9")), ("viec", ("", "")), ("/", ("", "")), ("/tìm", ("", "")),
    ("/tim\nđèn", ("tim", "đèn")),
])  # fmt: skip
def test_commands(text: str, wanted: tuple[str, str]) -> None:
    assert command(text) == wanted


def test_notes_and_calls_want_no_card() -> None:
    assert [kind_of(event) for event in ("note", "accept", "delivered", "rated")] == [None] * 4


@pytest.mark.parametrize("number", [
    "0912345678", "0912 345 678", "0912.345.678", "+84 912 345 678", "84912345678", "024 3333 4444", "02433334444",
])  # fmt: skip
def test_a_group_reads_no_phone(number: str) -> None:
    masked = mask_phones(f"Gọi {number} nhé, hạn 20/11/2026, mã PA-7K3M9, đền 500.000 đồng")
    assert masked == "Gọi ••• nhé, hạn 20/11/2026, mã PA-7K3M9, đền 500.000 đồng"


def test_hiding_phones_twice_changes_nothing() -> None:
    once = mask_phones("0912345678 và 0987654321, 12 ngõ 3")
    assert once == "••• và •••, 12 ngõ 3"
    assert mask_phones(once) == once

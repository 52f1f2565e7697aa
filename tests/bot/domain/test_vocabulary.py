"""Tests of the steering words."""

import pytest

from bot.domain.text import fold
from bot.domain.vocabulary import MENU_PHRASES, NUMBER_WORDS, RATING_PHRASES, MenuWord
from bot.domain.words import menu_word, number_choice, rating_word


@pytest.mark.parametrize("word", MENU_PHRASES)
def test_every_listed_phrase_is_found_with_and_without_accents(word: MenuWord) -> None:
    for spelling in MENU_PHRASES[word]:
        assert menu_word(spelling) is word, spelling
        assert menu_word(spelling.upper()) is word, spelling
        bare = menu_word(fold(spelling))
        assert bare is word or (fold(spelling) == "dung" and bare is MenuWord.STOP), spelling


def test_every_menu_word_can_be_typed() -> None:
    assert set(MENU_PHRASES) == set(MenuWord)


@pytest.mark.parametrize("rating", RATING_PHRASES)
def test_every_rating_is_found_with_and_without_accents(rating: int) -> None:
    for spelling in RATING_PHRASES[rating]:
        assert rating_word(spelling) == rating_word(fold(spelling)) == rating, spelling


@pytest.mark.parametrize("number", NUMBER_WORDS)
def test_every_number_word_is_found(number: int) -> None:
    assert {number_choice(word, len(NUMBER_WORDS)) for word in NUMBER_WORDS[number]} == {number}

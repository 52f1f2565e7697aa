"""Ids sort by the order in which they were made."""

from bot.clock import new_id


def test_ids_made_in_the_same_millisecond_keep_their_order() -> None:
    ids = [new_id() for _ in range(10_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {len(i) for i in ids} == {26}

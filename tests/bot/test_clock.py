"""Ids sort by the order in which they were made."""

import os

import pytest

from bot.clock import new_id


def test_ids_made_in_the_same_millisecond_keep_their_order() -> None:
    ids = [new_id() for _ in range(10_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {len(i) for i in ids} == {26}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_processes_that_were_forked_make_ids_of_their_own() -> None:
    new_id()  # bits are ready for the next ones
    heard, told = os.pipe()
    child = os.fork()
    if not child:
        os.write(told, "".join(new_id() for _ in range(10)).encode())
        os._exit(0)
    os.close(told)
    theirs = os.read(heard, 1000).decode()
    os.close(heard)
    os.waitpid(child, 0)
    ours = {new_id()[10:] for _ in range(10)}
    assert not ours & {theirs[at + 10 : at + 26] for at in range(0, len(theirs), 26)}
    assert len(theirs) == 260

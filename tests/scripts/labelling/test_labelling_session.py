"""A person goes through the items: votes, skips, undo, and going on later."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.labelling.items import lines_of_reports, pair_lines
from scripts.labelling.labelling_session import LabellingSession, pseudonym
from scripts.labelling.vote_log import VoteLog
from tests.scripts.labelling.lines import report


@pytest.fixture
def session(tmp_path: Path) -> LabellingSession:
    vote_log = VoteLog(tmp_path / "votes" / "us.sqlite")
    return LabellingSession(pair_lines(lines_of_reports([report()]), None, 1), vote_log, "overall", "가람", 1)


def test_votes_skips_and_undos(session: LabellingSession) -> None:
    first, second, third, *_ = session.items
    session.undo()  # of nothing
    session.vote("first")
    session.skip()
    session.vote("second")
    kept = {vote.item: vote for vote in session._vote_log.votes()}
    for item, press in ((first, 0), (third, 1)):
        vote = kept[item.id]
        assert {"a": item.line_a, "b": item.line_b}[vote.choice] == session.lines(item)[press]
        assert {"a": item.line_a, "b": item.line_b}[vote.shown_first] == session.lines(item)[0]
    assert kept.keys() == {first.id, third.id}
    assert session.voted == 2
    session.unskip()
    assert session.current == second
    session.undo()
    assert session.current == third
    assert [vote.item for vote in session._vote_log.votes()] == [first.id]
    session.vote("tie")
    assert [vote.choice for vote in session._vote_log.votes()][1:] == ["tie"]


def test_a_session_goes_on_where_the_person_stopped(session: LabellingSession) -> None:
    session.vote("tie")
    again = LabellingSession(session.items, session._vote_log, "overall", "가람", 1)
    assert (again.voted, again.current, again.can_undo) == (1, session.items[1], False)
    for other in (("pv", "가람"), ("overall", "나래")):
        assert LabellingSession(session.items, session._vote_log, *other, 1).voted == 0


def test_pseudonyms() -> None:
    assert pseudonym("  가 람 ") == "가 람"
    assert pseudonym("\ud800가") == "가"
    assert [pseudonym(text) for text in ("", " ", "a@b.kr", "가" * 41)] == [None] * 4

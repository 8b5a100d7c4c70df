"""The form of a particle after each kind of letter."""

import pytest

from pipelines.text.particles import topic_particle


@pytest.mark.parametrize(
    ("word", "particle"), [("우산", "은"), ("치마", "는"), ("TV", "는"), ("힣", "은"), ("가", "는")]
)
def test_topic_particle(word, particle):
    assert topic_particle(word) == particle

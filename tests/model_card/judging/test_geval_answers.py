"""What is read from a judge's answer, and what is not."""

import math

import pytest

from model_card.judging.geval_answers import (
    BETTER,
    SCORE,
    NoProbabilitiesError,
    NoScoreError,
    Weighed,
    chosen,
    distribution,
    shares,
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"reason": "또렷하다.", "score": 4}', (4, "또렷하다.")),
        ('```json\n{"reason": "또렷\n 하다.", "score": "0"}\n```', (0, "또렷 하다.")),
        ('점수입니다: {"score": 5.0}', (5, "")),
        ('<think>{"score": 1}?</think>{"reason": null, "score": 2}', (2, "")),
    ],
)
def test_digit_and_reason(text, said):
    assert chosen(text, SCORE) == said


@pytest.mark.field
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"reason": "또렷하다.", "score": 4}\n\n위와 같이 평가했습니다.', (4, "또렷하다.")),
        ('{"reason": "또렷하다.", "score": 4} {"note": "끝"}', (4, "또렷하다.")),
        ('{"reason": "또렷하다.", "score": 4}\n{"reason": "다시", "score": 4}', (4, "또렷하다.")),
        ('{"reason": "「비」를 "먼저" 떠올린다", "score": 4}', (4, '「비」를 "먼저" 떠올린다')),
        ('```json\n{"reason": "또렷하다.", "score": 4,}\n```', (4, "또렷하다.")),
        ("{'reason': '또렷하다.', 'score': 4}", (4, "또렷하다.")),
        ('{"reason": "또렷하다.", "score": ４}', (4, "또렷하다.")),
        ('{"reason": "또렷하다.", "score": "４"}', (4, "또렷하다.")),
        ('{"reason": "또렷하다.", "score": "4/5"}', (4, "또렷하다.")),
        ('{"reason": "또렷하다.", "score": 4/5}', (4, "또렷하다.")),
        ('{"reason": "또렷하다.", "score": "4점"}', (4, "또렷하다.")),
        ('{"reason": "또렷하다.", "score": 4점}', (4, "또렷하다.")),
        ("{“reason”: “또렷하다.”, “score”: “4 / 5점”}", (4, "또렷하다.")),
        ('◁think▷{"score": 1}◁/think▷{"score": 4}', (4, "")),
    ],
)
def test_a_score_that_is_there_is_read(text, said):
    assert chosen(text, SCORE) == said


@pytest.mark.field
@pytest.mark.parametrize(
    "text",
    [
        '{"score": "4/10"}',
        '{"score": "4~5"}',
        '{"score": "5점 만점에 4점"}',
        '{"score": 4',
        '{"score": 4}\n{"score": 2}',
        '{"reason": "기준은 "score": 3, 이다", "score": 4}',
        '{"score": 2, "score": 4}',
        "score: 4",
    ],
)
def test_a_score_that_may_be_another_is_none(text):
    with pytest.raises(NoScoreError):
        chosen(text, SCORE)


def test_a_line_out_of_two_is_no_line():
    with pytest.raises(NoScoreError):
        chosen('{"better": "1/2"}', BETTER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4",
        "좋은 카피입니다.",
        '{"score": 6}',
        '{"score": -1}',
        '{"score": 3.5}',
        '{"score": null}',
        '{"score": true}',
        '{"score": [4]}',
        '{"score": 1e999}',
        '{"better": 1}',
        '[{"score": 4}, {"score": 5}]',
    ],
)
def test_anything_else_is_no_score(text):
    with pytest.raises(NoScoreError):
        chosen(text, SCORE)


def tokens(*spelt, at=-2, **weights):
    """Tokens, one of which has alternatives."""
    alternatives = {name.lstrip("_"): math.log(weight) for name, weight in weights.items()}
    place = at % len(spelt)
    return [(token, alternatives if n == place else {}) for n, token in enumerate(spelt)]


ANSWER = ('{"', "reason", '": "', "별 5", "개, ", "5", '", "', "score", '": ', "4", "}")


def test_mean_of_the_whole_distribution():
    weights = distribution(tokens(*ANSWER, _3=0.005, _4=0.6, _5=0.3, four=0.05, _7=0.02), 4, SCORE)
    assert weights == pytest.approx({0: 0, 1: 0, 2: 0, 3: 0.005 / 0.905, 4: 0.6 / 0.905, 5: 0.3 / 0.905})
    # Neither cut off below one percent, as in deepeval, nor with a 7, which is not on the scale.
    assert Weighed(weights, "").mean == pytest.approx((3 * 0.005 + 4 * 0.6 + 5 * 0.3) / 0.905)


def test_the_token_is_that_of_the_field_wherever_it_stands():
    first = ('{"', "score", '": ', " 4", ', "', "reason", '": "', "별 ", "4", "개", '"}')
    assert distribution(tokens(*first, at=3, _4=0.5, _3=0.5), 4, SCORE)[3] == pytest.approx(0.5)
    with pytest.raises(NoProbabilitiesError):  # the last token that says 4 is not the score
        distribution(tokens(*first, at=8, _4=0.5, _3=0.5), 4, SCORE)


def test_tokens_that_hold_more_than_a_digit_count_for_it():
    said = [('{"score":', {}), (' "4"}', {' "4"}': math.log(0.5), "4": math.log(0.25), " 2": math.log(0.25)})]
    assert distribution(said, 4, SCORE) == pytest.approx({0: 0, 1: 0, 2: 0.25, 3: 0, 4: 0.75, 5: 0})


@pytest.mark.field
@pytest.mark.parametrize("spelt", ["4", "４", '"4"', "'4", "4점", " 4/"])
def test_the_token_is_found_however_the_score_is_spelt(spelt):
    said = [("{'", {}), ("score", {}), ("': ", {}), (spelt, {spelt: math.log(0.5), "3점": math.log(0.5)}), ("}", {})]
    assert distribution(said, 4, SCORE) == pytest.approx({0: 0, 1: 0, 2: 0, 3: 0.5, 4: 0.5, 5: 0})


@pytest.mark.parametrize(
    "said",
    [
        [],
        [("좋은", {}), ("카피", {})],
        tokens(*ANSWER),
        tokens(*ANSWER, _4=1.0),  # one alternative is no distribution
        tokens(*ANSWER[:-2], "3", "}", _3=0.5, _4=0.5),  # of another answer
        [*tokens(*ANSWER[:-2]), ("4", {"four": -0.1, "넷": -3.0}), ("}", {})],
        [*tokens(*ANSWER[:-2]), ("4", {"4": math.nan, "3": -1.0}), ("}", {})],
    ],
)
def test_no_probabilities_are_an_error_and_never_a_whole_score(said):
    with pytest.raises(NoProbabilitiesError):
        distribution(said, 4, SCORE)


def test_shares_of_several_answers():
    found = shares([(5, "다섯"), (2, "둘"), (2, "두 번째 둘"), (4, "넷")], SCORE)
    assert found.weights == {0: 0, 1: 0, 2: 0.5, 3: 0, 4: 0.25, 5: 0.25}
    assert (found.mean, found.reason) == (3.25, "넷")
    assert shares([(1, "첫째"), (0, "비김"), (1, "")], BETTER).weights == pytest.approx({0: 1 / 3, 1: 2 / 3, 2: 0})

"""The scorer against a computation without cache, batches or tricks, on a tiny random model."""

import math

import pytest
import torch

from pipelines.likelihood import line_scores as formulas
from pipelines.likelihood import log_probabilities
from pipelines.likelihood.line_scores import LineScores, shortfall
from pipelines.likelihood.log_probabilities import Continuations
from pipelines.likelihood.prompts import GENERIC_LINES, line_prompt, training_texts, with_generic_line
from pipelines.likelihood.rarity import Rarity
from pipelines.likelihood.scorer import DISTRACTORS, SHOTS, Scorer
from pipelines.rows import CHAT_TEMPLATE, user_message
from pipelines.text.particles import topic_particle
from tests.pipelines.likelihood.test_log_probabilities import model, naive, near, reader, tokenizer  # noqa: F401

EXAMPLES = [
    {"product": f"상품{n}", "values": ["조용한", "빠른"][: 1 + n % 2], "ad_copy": f"한밤에도 {n}번쯤 웃는다"}
    for n in range(SHOTS + DISTRACTORS)
]
OTHERS = EXAMPLES[SHOTS:]
CORPUS = ["비보다 먼저 웃는다", "장마는 간다", "나만 간다"]
ROWS = [
    {"product": "우산", "values": ["든든한 마음"], "ad_copy": "비보다 먼저 펴지는 마음"},
    {"product": "제습기", "values": ["보송한", "조용한"], "ad_copy": "장마는 창밖에서만"},
    {"product": "이어폰", "values": ["몰입"], "ad_copy": "나만의 이어폰 ABC"},
    {"product": "종", "values": ["맑음"], "ad_copy": "땡"},
]


@pytest.fixture(scope="module")
def scorer(reader):  # noqa: F811
    return Scorer(reader, EXAMPLES, CORPUS)


@pytest.fixture(scope="module")
def judge(reader):  # noqa: F811
    """As if the model had been trained as one."""
    return Scorer(reader, EXAMPLES, CORPUS, trained=True)


@pytest.fixture(scope="module")
def read(model, tokenizer):  # noqa: F811
    """Log-probabilities, [tokens, 2], of a continuation of a text."""
    return lambda before, line: naive(model, tokenizer, before, line)


def asked(row):
    return f"상품: {row['product']}\n가치: {', '.join(row['values'])}\n카피:"


def generic(row, n):
    topic = topic_particle(row["product"])
    return GENERIC_LINES[n % len(GENERIC_LINES)].format(product=row["product"], topic=topic, value=row["values"][0])


def line_of(row):
    return f" {row['ad_copy']}<eos>"


def mixture(parts):
    return torch.stack([found[:, 0] for found in parts]).exp().mean(0).log()


#: What lines and values stand under, written out by hand.
GIVEN = "<bos>" + "".join(f"{asked(row)} {row['ad_copy']}<eos>\n\n" for row in EXAMPLES[:SHOTS])
GENERIC = "<bos>" + "".join(f"{asked(row)} {generic(row, n)}<eos>\n\n" for n, row in enumerate(EXAMPLES[:SHOTS]))
ALONE = "<bos>" + "".join(f"카피: {row['ad_copy']}<eos>\n\n" for row in EXAMPLES[:SHOTS])
REVERSED = "<bos>" + "".join(
    f"카피: {row['ad_copy']}\n상품: {row['product']}\n가치: {', '.join(row['values'])}<eos>\n\n"
    for row in EXAMPLES[:SHOTS]
)


def values_sum(read, row, line, shown):
    """log p(values | line, product)."""
    found = read(f"{shown}카피: {line}\n상품: {row['product']}\n가치:", f" {', '.join(row['values'])}<eos>")
    return float(found[:, 0].sum())


def values_gain(read, row, shown=REVERSED):
    baseline = sum(values_sum(read, row, other["ad_copy"], shown) for other in OTHERS) / DISTRACTORS
    return values_sum(read, row, row["ad_copy"], shown) - baseline


def test_log_probs_are_those_of_the_whole_text(scorer, read):
    for row, found in zip(ROWS, scorer.log_probs(ROWS), strict=True):
        line = line_of(row)
        alone = read(ALONE + "카피:", line)
        assert len(found.given) == len(row["ad_copy"]) + 2  # the space before it and the end
        near(found.given, read(GIVEN + asked(row), line))
        near(found.generic, read(GENERIC + asked(row), line))
        near(found.alone, alone)
        near(found.marginal, mixture([alone, *(read(GIVEN + asked(other), line) for other in OTHERS)]))
        assert found.values_gain == pytest.approx(values_gain(read, row), abs=1e-3)
        assert found.rarity == Rarity(CORPUS).of(row["ad_copy"], [row["product"], *row["values"]])


def test_a_trained_judge_is_shown_generic_examples_alone(judge, read):
    for row, found in zip(ROWS, judge.log_probs(ROWS), strict=True):
        line = line_of(row)
        near(found.given, read("<bos>" + asked(row), line))
        near(found.generic, read(GENERIC + asked(row), line))
        near(found.alone, read("<bos>카피:", line))
        near(found.marginal, mixture([read("<bos>" + asked(other), line) for other in OTHERS]))  # without `alone`
        assert found.values_gain == pytest.approx(values_gain(read, row, "<bos>"), abs=1e-3)


@pytest.mark.parametrize("kind", ["scorer", "judge"])
def test_the_random_model_tells_all_the_texts_apart(kind, request):
    """Without which the tests above would say little."""
    for found in request.getfixturevalue(kind).log_probs(ROWS[:3]):
        sums = [float(part.sum()) for part in (found.given, found.generic, found.alone)]
        assert min(abs(one - other) for n, one in enumerate(sums) for other in sums[:n]) > 0.01
        assert abs(found.values_gain) > 0.01 and found.rarity > 0
        assert abs(float(found.marginal.sum() - found.alone[:, 0].sum())) > 0.01


def test_a_trained_judge_without_distractors_goes_by_the_line_alone(reader, read):  # noqa: F811
    examples = [*EXAMPLES[:SHOTS], *({**other, "product": "우산"} for other in OTHERS)]
    (found,) = Scorer(reader, examples, CORPUS, trained=True).log_probs(ROWS[:1])
    near(found.marginal, read("<bos>카피:", line_of(ROWS[0]))[:, 0])


def test_a_distractor_with_the_rows_own_product_is_none(scorer, read):
    row = {**ROWS[0], "product": OTHERS[0]["product"]}
    strange = [read(GIVEN + asked(other), line_of(row)) for other in OTHERS[1:]]
    near(scorer.log_probs([row])[0].marginal, mixture([read(ALONE + "카피:", line_of(row)), *strange]))


def test_a_trained_judges_distractor_with_the_rows_own_product_is_none(judge, read):
    row = {**ROWS[0], "product": OTHERS[0]["product"]}
    strange = [read("<bos>" + asked(other), line_of(row)) for other in OTHERS[1:]]
    near(judge.log_probs([row])[0].marginal, mixture(strange))


@pytest.mark.parametrize("row", ROWS)
def test_texts_are_those_that_models_are_trained_on(tokenizer, row):  # noqa: F811
    def written(messages, prompt):
        return tokenizer.apply_chat_template(
            messages, chat_template=CHAT_TEMPLATE, tokenize=False, add_generation_prompt=prompt
        )

    turn = user_message(row["product"], row["values"])
    answer = {"role": "assistant", "content": row["ad_copy"]}
    assert written([turn], True) == "<bos>" + line_prompt(row)
    assert written([turn, answer], False) == "<bos>" + line_prompt(row) + line_of(row)


def test_a_judge_learns_the_line_from_its_pair_and_the_values_from_the_line():
    assert training_texts(ROWS[1]) == [
        ("상품: 제습기\n가치: 보송한, 조용한\n카피:", " 장마는 창밖에서만"),
        ("카피: 장마는 창밖에서만\n상품: 제습기\n가치:", " 보송한, 조용한"),
    ]


def test_values_under_distractors_lines_are_asked_once_for_each_pair(scorer, read, monkeypatch):
    calls = []
    after = Continuations.after

    def watched(self, prefix, befores, lines):
        calls.append((list(befores), list(lines)))
        return after(self, prefix, befores, lines)

    monkeypatch.setattr(Continuations, "after", watched)
    one_pair = [{**ROWS[1], "ad_copy": line} for line in ("장마는 창밖에서만", "빨래가 먼저 안다", "바람")]
    found = scorer.log_probs([*one_pair, ROWS[0]])
    asked_again = [befores for befores, _ in calls if any(f"카피: {OTHERS[0]['ad_copy']}\n" in b for b in befores)]
    assert asked_again == [
        [f"카피: {OTHERS[0]['ad_copy']}\n상품: {row['product']}\n가치:" for row in (ROWS[1], ROWS[0])]
    ]
    assert sum(len(lines) for _, lines in calls) == 4 * (3 + DISTRACTORS + 1) + 2 * DISTRACTORS
    wanted = [values_gain(read, row) for row in [*one_pair, ROWS[0]]]
    assert [line.values_gain for line in found] == pytest.approx(wanted, abs=1e-3)


def test_values_in_another_order_are_another_pair(scorer, read):
    turned = {**ROWS[1], "values": ROWS[1]["values"][::-1]}
    found = scorer.log_probs([ROWS[1], turned])
    wanted = [values_gain(read, ROWS[1]), values_gain(read, turned)]
    assert [line.values_gain for line in found] == pytest.approx(wanted, abs=1e-3)
    assert abs(wanted[0] - wanted[1]) > 0.01


def test_scores_do_not_depend_on_company_or_order(scorer, monkeypatch):
    monkeypatch.setattr(log_probabilities, "_BATCH", 4)
    many = [{**ROWS[n % 4], "product": f"물건{n}"} for n in range(11)]
    together, backwards = scorer.scores(many), scorer.scores(many[::-1])[::-1]
    for one, other in zip(together, backwards, strict=True):
        assert one == pytest.approx(other, abs=1e-3)
    for row, one in zip(many[:4], together[:4], strict=True):
        assert one == pytest.approx(scorer.scores([row])[0], abs=1e-3)


def test_the_same_rows_score_the_same(scorer):
    assert scorer.scores(ROWS) == scorer.scores(ROWS)


def test_scores_are_the_raw_ones_of_the_log_probs(scorer):
    assert scorer.scores(ROWS) == [found.raw() for found in scorer.log_probs(ROWS)]


@pytest.fixture
def constants(monkeypatch):
    """Round numbers, so that formulas can be computed by hand."""
    for name, value in {"WORST": 2, "BOUND": 0.5, "REVERSE": 0.25, "RARITY": 0.5}.items():
        monkeypatch.setattr(formulas, name, value)


def line_scores(values_gain=2.0, rarity=3.0, marginal=(-2.0, -3.0, -4.0)):
    """Of three tokens: a nat above the marginal, and 1, 0.5 and 1.5 nats above the generic."""
    return LineScores(
        given=torch.tensor([[-1.0, -0.5], [-2.0, -1.0], [-3.0, -3.0]]),
        alone=torch.tensor([[-2.0, -1.0], [-5.0, -1.0], [-1.0, -1.0]]),
        generic=torch.tensor([[-2.0, -9.0], [-2.5, -9.0], [-4.5, -9.0]]),
        marginal=torch.tensor(marginal),
        values_gain=values_gain,
        rarity=rarity,
    )


@pytest.mark.usefixtures("constants")
def test_raw_scores_by_hand():
    score = line_scores().raw()
    assert score["pv"] == pytest.approx(0.5 * math.tanh(1 / 0.5) + 0.25 * 2.0)
    assert score["naturalness"] == pytest.approx(-(4 + 1) / 2 - (1 + 0.5) / 2)
    assert score["creativity"] == pytest.approx((1 + 0.5 + 1.5) / 3 + 0.5 * 3.0)


@pytest.mark.usefixtures("constants")
def test_what_a_line_owes_to_its_pair_is_bounded_and_what_values_owe_to_it_is_not():
    assert line_scores(0.0, marginal=(-99.0, -99.0, -99.0)).raw()["pv"] == pytest.approx(0.5)
    assert line_scores(0.0, marginal=(99.0, 99.0, 99.0)).raw()["pv"] == pytest.approx(-0.5)
    assert line_scores(80.0, marginal=(-1.0, -2.0, -3.0)).raw()["pv"] == pytest.approx(20.0)


def test_raw_scores_with_the_constants_as_they_are():
    few = formulas.WORST
    gain, worst = 1.0, [4.0, 1.0, 0.0][:few]
    found = line_scores().raw()
    assert found == {
        "pv": pytest.approx(formulas.BOUND * math.tanh(gain / formulas.BOUND) + 2.0 * formulas.REVERSE),
        "naturalness": pytest.approx(-(sum(worst) + sum([1.0, 0.5, 0.0][: formulas.WORST])) / min(3, formulas.WORST)),
        "creativity": pytest.approx(1.0 + 3.0 * formulas.RARITY),
    }


@pytest.mark.usefixtures("constants")
def test_shortfall_is_the_mean_of_the_worst():
    assert shortfall(torch.tensor([[-1.0, -1.0], [-4.0, -1.0], [-2.0, -1.5], [-3.0, -1.0]])) == (3 + 2) / 2


def test_of_a_short_line_all_tokens_count(monkeypatch):
    monkeypatch.setattr(formulas, "WORST", 5)
    short = torch.tensor([[-1.0, 0.0], [-3.0, -1.0]])
    assert shortfall(short) == pytest.approx(3 / 2)
    assert shortfall(torch.cat([short, torch.tensor([[-1.0, -1.0]] * 9)])) == pytest.approx(3 / 5)
    assert shortfall(short[:0]) == 0


def test_progress_rises_to_one(scorer):
    shares = []
    scorer.scores(ROWS, shares.append)
    assert shares == sorted(set(shares)) and shares[0] > 0 and shares[-1] == 1


@pytest.mark.parametrize("count", [0, 3, SHOTS + DISTRACTORS - 1])
def test_too_few_examples(reader, count):  # noqa: F811
    with pytest.raises(ValueError, match=f"needs {SHOTS + DISTRACTORS} example rows and got {count}"):
        Scorer(reader, EXAMPLES[:count], CORPUS)


def test_examples_beyond_those_needed_change_nothing(reader, scorer):  # noqa: F811
    longer = Scorer(reader, [*EXAMPLES, ROWS[0]], CORPUS)
    assert longer.scores(ROWS[1:2]) == scorer.scores(ROWS[1:2])


def test_nothing_to_score(scorer):
    assert scorer.scores([]) == []


@pytest.mark.parametrize("word", ["우산", "치마", "TV"])
def test_generic_lines_stand_under_the_pairs_of_the_examples(word):
    row = {"product": word, "values": ["가벼운", "질긴"], "ad_copy": "한밤에도 웃는다"}
    made = [with_generic_line(row, n) for n in range(2 * len(GENERIC_LINES))]
    assert [found["ad_copy"] for found in made] == [generic(row, n) for n in range(2 * len(GENERIC_LINES))]
    assert all((found["product"], found["values"]) == (word, ["가벼운", "질긴"]) for found in made)
    assert not any("{" in found["ad_copy"] or "질긴" in found["ad_copy"] for found in made)

"""Reports: their arithmetic with judges that say what a test wants, and what is said of lines without a judge."""

from dataclasses import replace

import pytest

from model_card.cards.report_files import markdown
from model_card.comparison.evaluation import Answer, Candidate, EvalSplit, evaluate_systems
from model_card.comparison.report import Report
from model_card.comparison.surface import copies, distinct, is_broken, leaks
from model_card.judging.judge import Judge, Raw
from pipelines.errors import HanjulError
from pipelines.metrics import METRICS
from tests.model_card.cards.facts import JUDGE, REPORT

SPLIT = EvalSplit("team/copy", "d" * 40, "test")
PAIRS = [("우산", ("든든한",)), ("제습기", ("보송한",)), ("이어폰", ("몰입",)), ("치마", ("편안한",))]


def raw(rows):
    """Longer lines are better; a line with a question mark is not judged."""
    return [
        None if "?" in row["ad_copy"] else Raw(dict.fromkeys(METRICS, len(row["ad_copy"]) / 10), {"pv": "짧습니다."})
        for row in rows
    ]


@pytest.fixture
def judge():
    return Judge(JUDGE, raw)


def candidate(name, lines, pairs=PAIRS, pace=None):
    answers = tuple(Answer(*pair, line) for pair, line in zip(pairs, lines, strict=True))
    return Candidate(name, f"team/{name}", "c" * 40, answers, pace)


def evaluated(judges, *candidates, training=()):
    return evaluate_systems(judges, candidates, SPLIT, training, bootstrap=200, seed=1)


def test_systems_side_by_side(judge):
    base = candidate("base", ["짧다", "짧다", "우산은 든든", ""])
    adapter = candidate("adapter", [*["조금 더 길게 쓴 줄"] * 3, "치마를 입은 줄"], pace=31.5)
    report = evaluated([judge], base, adapter, training=["조금 더 길게 쓴 줄!", "다른 줄"])

    first, second = report.systems
    (said,) = report.judgements
    assert (report.pairs, first.broken_rate, first.leak_rate, second.leak_rate) == (4, 0.25, 0.0, 0.25)
    assert (second.copy_rate, second.lines[0].copied_from, second.lines[3].copied_from) == (
        0.75,
        "조금 더 길게 쓴 줄!",
        "",
    )
    assert (first.tokens_per_second, second.tokens_per_second, second.length) == (None, 31.5, 10.25)
    assert first.lines[0].prompt == "상품: 우산\n가치: 든든한"
    assert first.lines[0].verdicts[JUDGE.name].reasons["pv"] == "짧습니다."
    assert first.lines[0].verdicts[JUDGE.name].reasons["naturalness"].endswith("(채점 모델의 AUC 0.78)")
    assert first.lines[3].broken and set(first.lines[3].verdicts[JUDGE.name].scores.values()) == {0.0}

    by_line = [line.verdicts[JUDGE.name].scores["pv"] for line in first.lines]
    mean = said.means["base"]["pv"]
    assert mean.value == pytest.approx(sum(by_line) / 4)
    assert mean.low < mean.value < mean.high
    (compared,) = said.duels
    assert (compared.system, compared.reference, compared.wins, compared.ties, compared.losses) == (
        "adapter",
        "base",
        1.0,
        0.0,
        0.0,
    )
    lead = compared.differences["pv"]
    assert lead.mean.value == pytest.approx(said.means["adapter"]["pv"].value - mean.value)
    assert lead.mean.low > 0
    assert lead.p == pytest.approx(2 / 16, abs=0.005)  # of 16 ways to flip 4 pairs, 2 are as extreme
    assert lead.p_holm == pytest.approx(3 * lead.p, abs=0.005)
    assert said.ratings["adapter"].value == -said.ratings["base"].value > 1
    assert report == evaluated([judge], base, adapter, training=["조금 더 길게 쓴 줄!", "다른 줄"])


def test_a_system_against_itself_ties_and_differs_by_nothing(judge):
    lines = ["한 줄", "다른 한 줄", "또 다른 한 줄", "끝"]
    (said,) = evaluated([judge], candidate("a", lines), candidate("b", lines)).judgements
    (compared,) = said.duels
    assert (compared.wins, compared.ties, compared.losses) == (0.0, 1.0, 0.0)
    assert vars(compared.differences["pv"].mean) == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert compared.differences["pv"].p == 1.0
    assert vars(said.ratings["a"]) == pytest.approx({"value": 0.0, "low": 0.0, "high": 0.0})


def test_every_two_of_three_systems_meet_once_the_later_one_first(judge):
    systems = [candidate(name, [name * n] * 4) for n, name in enumerate(("가", "나", "다"), 1)]
    (said,) = evaluated([judge], *systems).judgements
    assert [(compared.system, compared.reference) for compared in said.duels] == [
        ("나", "가"),
        ("다", "가"),
        ("다", "나"),
    ]
    assert said.ratings["가"].value < said.ratings["나"].value < said.ratings["다"].value


def test_lines_of_one_pair_count_as_one_pair(judge):
    twice = [*PAIRS, *PAIRS]
    short, long = ["가나"] * 8, ["가나다라마바"] * 4 + ["가"] * 4
    report = evaluated([judge], candidate("a", short, twice), candidate("b", long, twice))
    (said,) = report.judgements
    assert report.pairs == 4 and len(report.systems[0].lines) == 8
    assert (said.duels[0].wins, said.duels[0].losses) == (0.5, 0.5)  # one line of each pair wins, one loses
    by_line = [line.verdicts[JUDGE.name].scores["pv"] for line in report.systems[1].lines]
    assert said.means["b"]["pv"].value == pytest.approx(sum(by_line) / 8)
    assert said.means["b"]["pv"].high == pytest.approx(said.means["b"]["pv"].low)  # all pairs are alike
    assert said.sds["b"]["pv"] > 0.01


class Comparing:
    """Prefers the longer line, whatever the order, and counts what it is asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, pairs):
        self.asked += [(first["product"], first["ad_copy"], second["ad_copy"]) for first, second in pairs]
        return [float(len(first["ad_copy"]) > len(second["ad_copy"])) for first, second in pairs]


@pytest.mark.field
@pytest.mark.parametrize(("duels", "drawn"), [(12, None), (11, 3), (6, 2), (1, 1), (None, None)])
def test_systems_are_compared_on_pairs_that_are_drawn(duels, drawn):
    systems = [candidate(name, [name * n] * 4) for n, name in enumerate(("가", "나", "다"), 1)]
    prefers = Comparing()
    report = evaluated([Judge(JUDGE, raw, prefers, duels)], *systems)
    (said,) = report.judgements
    assert said.compared == drawn and said.unjudged == 0
    assert len({product for product, *_ in prefers.asked}) == (drawn or 4)
    assert len(prefers.asked) == 2 * 3 * (drawn or 4)  # every two systems, in both orders
    assert [(compared.wins, compared.ties, compared.losses) for compared in said.duels] == [(1, 0, 0)] * 3
    assert said.ratings["가"].value < said.ratings["나"].value < said.ratings["다"].value
    (scores,) = evaluated([Judge(JUDGE, raw)], *systems).judgements
    assert said.means == scores.means  # of all pairs
    assert (f"{drawn} of the pairs, drawn by seed" in markdown(report)) is bool(drawn)


def test_lines_for_one_pair_are_drawn_together():
    twice = [pair for pair in PAIRS for _ in range(2)]
    prefers = Comparing()
    systems = [candidate(name, [name * (n + 1) for n in range(8)], twice) for name in ("가", "나다")]
    (said,) = evaluated([Judge(JUDGE, raw, prefers, 4)], *systems).judgements
    assert said.compared == 2 and len(prefers.asked) == 2 * 4


def test_one_system_alone_is_not_compared(judge):
    (said,) = evaluated([judge], candidate("a", ["가나다"] * 4)).judgements
    assert said.duels == () and said.ratings["a"].value == 0.0


def test_a_pair_with_a_line_unjudged_is_left_out_for_all(judge):
    base = candidate("base", ["짧다", "조금 더 길게 쓴 줄", "짧다", "짧다"])
    gaps = candidate("gaps", ["왜?", "짧다", "짧다", "짧다"])
    report = evaluated([judge], base, gaps)
    (said,) = report.judgements
    assert said.unjudged == 1
    assert report.systems[1].lines[0].verdicts == {}
    by_line = [line.verdicts[JUDGE.name].scores["pv"] for line in report.systems[0].lines]
    assert said.means["base"]["pv"].value == pytest.approx(sum(by_line[1:]) / 3)
    assert (said.duels[0].losses, said.duels[0].ties) == pytest.approx((1 / 3, 2 / 3))
    with pytest.raises(HanjulError, match="gemma-3-270m@bbbbbbb judged none of the 4 pairs"):
        evaluated([judge], candidate("a", ["왜?"] * 4))


def test_a_judge_that_compares_is_asked_in_both_orders_about_lines_that_differ():
    asked = []

    def first_unless_short(pairs):
        asked.extend(pairs)
        lines = [(one["ad_copy"], two["ad_copy"]) for one, two in pairs]
        return [None if "?" in one + two else float(len(one) > 2) for one, two in lines]

    def all_alike(rows):
        return [Raw(dict.fromkeys(METRICS, 0.0)) for _ in rows]

    comparing = Judge(replace(JUDGE, name="comparing"), all_alike, first_unless_short)
    base = candidate("base", ["짧다", "같은 줄", "", "짧다"])
    adapter = candidate("adapter", ["더 긴 줄", "같은 줄", "멀쩡한 줄", "왜?"])
    report = evaluated([Judge(JUDGE, all_alike), comparing], base, adapter)
    assert [(one["ad_copy"], two["ad_copy"]) for one, two in asked] == [
        ("더 긴 줄", "짧다"),
        ("왜?", "짧다"),
        ("짧다", "더 긴 줄"),
        ("짧다", "왜?"),
    ]
    said = report.judgements[1]
    assert said.judge.name == "comparing" and said.unjudged == 1  # the pair with the question mark
    assert (said.duels[0].wins, said.duels[0].ties) == pytest.approx((2 / 3, 1 / 3))
    assert set(report.systems[0].lines[0].verdicts) == {JUDGE.name, "comparing"}


@pytest.mark.parametrize(
    ("candidates", "message"),
    [
        ([], "Nothing to evaluate"),
        ([candidate("a", ["줄"] * 4), candidate("a", ["줄"] * 4)], "Two systems have one name"),
        ([candidate("a", ["줄"] * 4), candidate("b", ["줄"] * 3, PAIRS[:3])], "not asked the same pairs"),
    ],
)
def test_what_cannot_be_compared(judge, candidates, message):
    with pytest.raises(ValueError, match=message):
        evaluated([judge], *candidates)


def test_judges_are_needed_and_have_their_own_names(judge):
    with pytest.raises(ValueError, match="Nobody to judge"):
        evaluated([], candidate("a", ["줄"] * 4))
    with pytest.raises(ValueError, match="Two judges have one name"):
        evaluated([judge, judge], candidate("a", ["줄"] * 4))


@pytest.mark.parametrize(
    ("line", "leaking"), [("드립 백커피 한 잔", True), ("부드러운 아침", True), ("아침을 여는 향", False)]
)
def test_leaks_are_verbatim_words_spaces_aside(line, leaking):
    assert leaks("드립백 커피", ["부드러운"], line) is leaking


@pytest.mark.parametrize(
    ("line", "broken"),
    [("", True), ("Good morning", True), ("하나\n둘", True), ("카피: 하나", True), ("하나, 둘", False)],
)
def test_broken_lines(line, broken):
    assert is_broken(line) is broken


def test_distinct_n_grams():
    assert distinct(["가나다", "가나"], 2) == pytest.approx(2 / 3)
    assert distinct(["가나다", "가나"], 1) == pytest.approx(3 / 5)
    assert distinct(["가", ""], 2) == 0.0


def test_copies_are_the_most_similar_training_lines():
    training = ["아침을 여는 향긋한 커피", "아침을 여는 향긋한 커피!", "전혀 다른 문장입니다"]
    # "…향긋한 차" shares 6 of 9 grams, "…빛" 3 of 9.
    assert copies(["아침을 여는 향긋한 커피", "아침을 여는 빛", "아침을 여는 향긋한 차"], training) == {
        "아침을 여는 향긋한 커피": "아침을 여는 향긋한 커피!",
        "아침을 여는 향긋한 차": "아침을 여는 향긋한 커피!",
    }
    assert copies(["한 줄"], []) == {}


def test_a_report_survives_json():
    assert Report.from_json(REPORT.to_json()) == REPORT
    with pytest.raises(ValueError, match="judgements"):
        Report.from_json("{}")

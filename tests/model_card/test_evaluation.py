"""Reports: their arithmetic, their text, and their figure as a picture with Hangul in it."""

import struct
import warnings

import pytest

from model_card import figures
from model_card.evaluation import Answer, Candidate, EvalSplit, distinct_2, evaluate_systems, is_broken, leaks
from model_card.facts import Report
from model_card.judge import Judge
from model_card.report import files, markdown
from pipelines.likelihood import RawScores
from tests.model_card.facts import REPORT, calibration

SPLIT = EvalSplit("team/copy", "d" * 40, "test")
PAIRS = [("우산", ("든든한",)), ("제습기", ("보송한",)), ("이어폰", ("몰입",)), ("치마", ("편안한",))]


def raw(rows):
    return [RawScores(float(len(row["ad_copy"])) / 10, 0.0, 0.0) for row in rows]


@pytest.fixture
def judge():
    return Judge("judge@1", raw, dict.fromkeys(("pv", "naturalness", "creativity"), calibration(0.9)))


def candidate(name, lines, pairs=PAIRS):
    answers = tuple(Answer(*pair, line) for pair, line in zip(pairs, lines, strict=True))
    return Candidate(name, f"team/{name}", "c" * 40, answers)


def test_systems_side_by_side(judge):
    base = candidate("base", ["짧다", "짧다", "우산은 든든", ""])
    adapter = candidate("adapter", ["조금 더 길게 쓴 줄", "조금 더 길게 쓴 줄", "조금 더 길게 쓴 줄", "치마를 입은 줄"])
    report = evaluate_systems(judge, [base, adapter], SPLIT, bootstrap=300, seed=1)

    first, second = report.systems
    assert (report.pairs, first.broken_rate, first.leak_rate, second.leak_rate) == (4, 0.25, 0.0, 0.25)
    assert first.lines[3].scores == {"pv": 0.0, "naturalness": 0.0, "creativity": 0.0} and first.lines[3].broken
    assert first.lines[0].prompt == "상품: 우산\n가치: 든든한"
    expected = [line.scores["pv"] for line in first.lines]
    assert first.means["pv"].value == pytest.approx(sum(expected) / 4)
    assert first.means["pv"].low <= first.means["pv"].value <= first.means["pv"].high
    (difference,) = report.differences
    assert (difference.system, difference.reference) == ("adapter", "base")
    assert difference.means["pv"].value == pytest.approx(second.means["pv"].value - first.means["pv"].value)
    assert difference.means["pv"].low > 0
    assert report == evaluate_systems(judge, [base, adapter], SPLIT, bootstrap=300, seed=1)


def test_a_system_against_itself_differs_by_nothing(judge):
    lines = ["한 줄", "다른 한 줄", "또 다른 한 줄", "끝"]
    report = evaluate_systems(judge, [candidate("a", lines), candidate("b", lines)], SPLIT, bootstrap=100, seed=1)
    assert vars(report.differences[0].means["pv"]) == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_lines_of_one_pair_count_as_one_pair(judge):
    twice = [*PAIRS, *PAIRS]
    report = evaluate_systems(judge, [candidate("a", ["가나다"] * 8, twice)], SPLIT, bootstrap=100, seed=1)
    assert report.pairs == 4 and len(report.systems[0].lines) == 8 and report.differences == ()


@pytest.mark.parametrize(
    ("candidates", "message"),
    [
        ([], "Nothing to evaluate"),
        ([candidate("a", ["줄"] * 4), candidate("a", ["줄"] * 4)], "one name"),
        ([candidate("a", ["줄"] * 4), candidate("b", ["줄"] * 3, PAIRS[:3])], "not asked the same pairs"),
    ],
)
def test_what_cannot_be_compared(judge, candidates, message):
    with pytest.raises(ValueError, match=message):
        evaluate_systems(judge, candidates, SPLIT, bootstrap=100, seed=1)


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


def test_distinct_2():
    assert distinct_2(["가나다", "가나"]) == pytest.approx(2 / 3)
    assert distinct_2(["가", ""]) == 0.0


def test_a_report_survives_json():
    assert Report.from_json(REPORT.to_json()) == REPORT
    with pytest.raises(ValueError, match="judge"):
        Report.from_json("{}")


def test_report_text_has_every_line_and_marks_the_unreliable_metric():
    text = markdown(REPORT)
    for system in REPORT.systems:
        assert f"`{system.model}@{system.revision}`" in text
    assert text.count("장마는 창밖에서만") == len(REPORT.systems)
    assert "창의성 Creativity † 신뢰도 낮음 |" in text and "PV † 신뢰도 낮음" not in text
    rows = [line for line in text.splitlines() if line.startswith("| 우산")]
    assert [row.replace(r"\|", "").count("|") for row in rows] == [8, 8]


def picture(png):
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])


def test_figures_are_sharp_and_have_every_glyph():
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a missing glyph
        width, height = picture(files(REPORT)["evaluation/scores.png"])
        curve = figures.training_curve(
            {
                "steps": [{"step": 1, "loss": 4.0}, {"step": 2, "loss": 2.5}],
                "held_out_steps": [{"step": 2, "loss": 2.6}],
                "held_out": {"base": 4.2, "adapter": 2.6, "tokens": 99},
                "best_step": 2,
            }
        )
        bare = figures.training_curve({"steps": [{"step": 1, "loss": 4.0}]})
    assert width == 1280 and height > 800
    assert picture(curve) == picture(bare)
    assert curve != bare


def test_files_of_an_evaluation():
    assert sorted(files(REPORT)) == ["evaluation/report.json", "evaluation/report.md", "evaluation/scores.png"]

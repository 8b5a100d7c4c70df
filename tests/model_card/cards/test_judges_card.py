"""The judges' card: what each judge told from what, in numbers that the facts hold, and text that stays in its cell."""

from dataclasses import replace

import pytest
from huggingface_hub import HfUri

from model_card.cards.judges_card import render
from model_card.comparison.readings import readings
from model_card.judging.contrast_kinds import CONTRAST_KINDS, MODEL_MADE
from model_card.judging.contrast_set import Contrast
from model_card.judging.facts import People
from model_card.judging.graded import READERS, GradedLine
from pipelines.metrics import METRICS
from tests.model_card.cards.facts import JUDGE, around

DATASET = HfUri(type="dataset", id="hanjul-team/hanjul-copy", revision="d" * 40)
COMPARING = replace(
    JUDGE,
    name="gpt-4o at api.openai.com",
    family="geval",
    scoring="samples",
    samples=5,
    duels=around(0.9, 0.03),
    contradictions=0.08,
    people=People(4, 212, 50, around(0.4), around(0.7)),
)
KINDS = list(CONTRAST_KINDS)


def row(line, product="우산", values=("든든한",)):
    return {"product": product, "values": list(values), "ad_copy": line}


#: Two good rows, a slogan and a line by a model. Of the first row every kind was made, of the second one only one.
OF_ROWS = [kind for kind in KINDS if kind not in ("worn_out", MODEL_MADE)]
CONTRASTS = [Contrast(kind, 0, row("비가 와도 괜찮은 하루"), row("망친 줄")) for kind in OF_ROWS]
CONTRASTS += [
    Contrast("other_value", 1, row("장마는 창밖에서만", "제습기"), row("장마는 창밖에서만", "제습기", ["달콤한"])),
    Contrast(
        "worn_out", 2, row("a|b <b>", "`책`", ["*쉼*", "발견"]), row("지금 바로 만나보세요", "`책`", ["*쉼*", "발견"])
    ),
    Contrast(MODEL_MADE, 3, row("비가 와도 산책"), row("|장마|는 무릎", "제습기", ["보송한"])),
    Contrast(MODEL_MADE, 3, row("비가 와도 산책"), row("우산은 우산의 우산", "양산", ["가벼운"])),
]


def graded(line, grades, source="base, 8 examples", kind="model"):
    return GradedLine(row(line), source, kind, tuple(grades))


GRADED = [
    *(graded(f"{n}", "DD") for n in range(6)),
    graded("6", "AB"),
    graded("7", "CD"),
    *(graded(f"{n}", "AA", "written", "written") for n in range(8, 11)),
    graded("11", "AB", "written", "written"),
]


def card(*judges):
    return render("hanjul-team/hanjul-judges", DATASET, judges, CONTRASTS, readings(GRADED, bootstrap=100, seed=1))


def section(text, heading):
    """From a heading to the next one of any level."""
    return text.split(f"{heading}\n", 1)[1].split("\n#", 1)[0]


def test_what_the_set_is_made_of():
    text = card(JUDGE, COMPARING)
    assert "| 9 | 2 | 1 | 1 | 2 |" in text  # contrasts, rows, slogans, usable lines by models, judges
    assert f"https://huggingface.co/datasets/hanjul-team/hanjul-copy/tree/{'d' * 40})" in text
    told = section(text, "## 대조 세트 · The contrast set")
    assert (
        "| 카피는 그대로 두고 가치를 다른 상품의 것으로 바꿈<br>the same line, with values of another product "
        "| `other_value` | 상품·가치 반영 PV | 우산 · 든든한<br>“비가 와도 괜찮은 하루” "
        "| 우산 · 든든한<br>“망친 줄” | 2 |"
    ) in told
    assert (
        "| \\`책\\` · \\*쉼\\*, 발견<br>“a\\|b &lt;b>” | \\`책\\` · \\*쉼\\*, 발견<br>“지금 바로 만나보세요” | 1 |"
        in told
    )
    everywhere = "<br>".join(f"{metric.korean} {metric.name}" for metric in METRICS.values())
    good, bad = "우산 · 든든한<br>“비가 와도 산책”", "제습기 · 보송한<br>“\\|장마\\|는 무릎”"
    assert f"| `{MODEL_MADE}` | {everywhere} | {good} | {bad} | 2 |" in told
    assert [line.split(" | ")[1] for line in told.splitlines() if "<br>" in line] == [f"`{kind}`" for kind in KINDS]


def test_each_judge_says_how_far_it_goes():
    text = card(COMPARING, JUDGE)
    llm, likelihood = (section(text, f"### {name}") for name in (COMPARING.name, JUDGE.name))
    for said in (llm, likelihood):
        assert "| 상품·가치 반영 PV | 0.90 [0.86, 0.94] | 0.97 [0.95, 0.99] | 400 | 믿을 만함 · reliable |" in said
        assert (
            "| 창의성 Creativity | 0.60 [0.56, 0.64] | 0.97 [0.95, 0.99] | 400 "
            "| 모델이 쓴 카피에서 신뢰도 낮음 · unreliable on lines that models write † |"
        ) in said
        assert "상투어 · cliché (Creativity, AUC 0.55)" in said
    assert "루브릭 채점, 5회 표본의 평균" in llm and "언어 모델의 가능도" in likelihood
    assert "좋은 카피를 고른 비율 0.90 [0.87, 0.93], 순서에 따라 답이 바뀐 비율 8%" in llm
    assert "4명이 212표를 던졌습니다" in llm and "0.70 [0.60, 0.80] of 50" in llm
    assert "순서에 따라" not in likelihood and "표를 던졌습니다" not in likelihood


@pytest.mark.parametrize("judges", [(JUDGE,), (COMPARING, JUDGE)])
def test_tables_have_a_column_or_a_row_for_each_judge(judges):
    text = card(*judges)
    by_kind = section(text, "### 종류별 · By kind of bad line").split("\n\n")[1].splitlines()
    assert by_kind[0] == f"| 지표 · metric | 나쁜 카피 · bad line |{''.join(f' {judge.name} |' for judge in judges)}"
    assert by_kind[3] == "| 상품·가치 반영 PV | 가치가 다른 카피 · other values |" + " 0.85 / 0.97 (150) |" * len(
        judges
    )
    assert by_kind[
        4
    ] == "| 상품·가치 반영 PV | 쓸 수 없는 모델 카피 · unusable line by a model |" + " 0.90 / 0.97 (150) |" * len(
        judges
    )
    assert by_kind[-1] == "| 쓸 만함 Sense | 쓸 수 없는 모델 카피 · unusable line by a model |" + " – |" * len(judges)
    assert len(by_kind) == 2 + sum(len(metric.contrasts) for metric in METRICS.values())
    assert len({line.replace("\\|", "").count("|") for line in by_kind}) == 1
    scaled = section(text, "## 점수가 0–1이 되기까지 · From raw scores to 0–1")
    assert [line for line in scaled.splitlines() if line.endswith(" | 2 | 0.5 |")] == [
        f"| {judge.name} | {metric.korean} {metric.name} | 2 | 0.5 |" for judge in judges for metric in judge.metrics
    ]


def test_the_grades_of_the_lines_that_were_read():
    told = section(card(JUDGE), "## 읽고 매긴 등급 · Lines read and graded")
    assert all(said in told for said in READERS)
    assert "| 쓴 곳 · source | 종류 · kind | 카피 lines | A | B | C | D |" in told
    written, base = [line for line in told.splitlines() if line.startswith("| ")][1:]
    assert written == "| written | 데이터셋용 · for the dataset | 4 | 87.5% | 12.5% | 0.0% | 0.0% |"
    assert base == "| base, 8 examples | 모델 · model | 8 | 6.2% | 6.2% | 6.2% | 81.2% |"
    found = readings(GRADED, bootstrap=100, seed=1)
    for alpha in (found.alpha, found.alpha_models):
        assert told.count(f"{alpha.value:.2f} [{alpha.low:.2f}, {alpha.high:.2f}]") == 2

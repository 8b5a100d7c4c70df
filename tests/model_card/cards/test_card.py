"""The adapter's README: golden, readable by the Hub's own parser, and changed only where it should be."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from huggingface_hub import EvalResultEntry, ModelCard
from huggingface_hub._eval_results import parse_eval_result_entries
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from model_card.cards.card import END, START, CardError, evaluation_section, render, replace_evaluation
from model_card.cards.facts import CardFacts
from model_card.cards.hub_results import ReportError, eval_results, model_index
from model_card.cards.published import is_comparable, published
from model_card.cards.report_files import OWN, files, markdown
from model_card.comparison.report import Line
from model_card.judging.contrast_kinds import MODEL_MADE
from model_card.judging.facts import KindAccuracy, People, Verdict
from model_card.judging.graded import READERS
from pipelines.feedback.pairs import Tally
from pipelines.metrics import METRICS
from pipelines.text.markdown import cell
from tests.model_card.cards.facts import (
    ADAPTER,
    FACTS,
    JUDGE,
    PAIRS,
    RELEASE,
    REPORT,
    TRAINING,
    around,
    calibration,
    wide_report,
)

GOLDEN = Path(__file__).parent / "golden" / "adapter.md"


def test_golden():
    assert render(FACTS) == GOLDEN.read_text(encoding="utf-8")


def test_the_hub_reads_the_metadata():
    data = ModelCard(render(FACTS)).data.to_dict()
    index = data.pop("model-index")
    assert data == {
        "language": "ko",
        "license": "gemma",
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "base_model": "google/gemma-3-270m",
        "base_model_relation": "adapter",
        "datasets": ["hanjul-team/hanjul-copy"],
        "tags": ["hanjul", "ad-copy", "copywriting", "korean", "lora"],
    }
    (result,) = index[0]["results"]
    assert result["dataset"]["revision"] == "d" * 40
    assert [metric["type"] for metric in result["metrics"]] == ["hanjul-pv", "hanjul-naturalness"]
    assert result["metrics"][0]["value"] == 0.7


def test_votes_of_visitors_are_counted_where_they_were_learnt():
    voted = replace(TRAINING, visitors=Tally(likes=1200, dislikes=34, edits=5, pairs=67))
    assert "| 좋아요 1,200, 싫어요 34, 고친 글 5 → 선호 쌍 67 ·" in render(CardFacts(RELEASE, voted))
    assert "방문자" not in render(CardFacts(RELEASE, TRAINING))


def test_an_unreliable_metric_is_marked_and_left_out_of_the_index():
    text = render(FACTS)
    assert "hanjul-creativity" not in text
    assert re.search(r"\| 창의성 Creativity \| 0\.60 .*모델이 쓴 카피에서 신뢰도 낮음 · unreliable on lines .* †", text)
    assert "창의성 Creativity † |" in text and "PV † |" not in text
    assert "left out of `model-index`" in text
    assert "조사·어미가 틀린 카피 · wrong particle or ending (Naturalness, AUC 0.73)" in text  # the kind's name


def judged_by(*judges):
    return wide_report(["base", "adapter"], list(judges))


POOR = replace(JUDGE, calibration={metric: calibration(0.5, metric) for metric in JUDGE.calibration})
GOOD = replace(
    JUDGE,
    name="gpt-4o at api.openai.com",
    family="geval",
    scoring="samples",
    samples=5,
    calibration={metric: calibration(0.95, metric) for metric in JUDGE.calibration},
    duels=around(0.7, 0.05),
    contradictions=0.12,
    people=People(3, 120, 38, around(0.42), around(0.71)),
)


def test_no_result_where_no_metric_is_reliable():
    assert "model-index:" not in render(CardFacts(RELEASE, TRAINING, judged_by(POOR)))
    assert eval_results(judged_by(POOR), ADAPTER) == "[]\n"


@pytest.mark.field
def test_a_metric_that_was_tried_on_few_lines_says_so():
    few = {metric: replace(calibration(0.9, metric), reliable=False) for metric in JUDGE.calibration}
    text = evaluation_section(judged_by(replace(JUDGE, calibration=few)), ADAPTER)
    assert text.count("too few lines to tell †") == len(few)
    assert text.count("Where few lines were tried, the lower end of the interval has to reach it.") == 1
    assert "few lines" not in evaluation_section(judged_by(POOR), ADAPTER)


def outside_folds(text):
    return re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)


@pytest.mark.field
def test_what_an_unreliable_judge_says_is_folded_away_with_the_reason():
    text = evaluation_section(judged_by(POOR), ADAPTER)
    seen, folded = outside_folds(text), text.split("<details>")[1:]
    assert "No judge is reliable: no score says which model is better." in seen
    assert "0.450 [" not in seen and "60% –" not in seen and "scores.png" not in seen
    assert len(folded) == 2 and all(
        "No metric of these judges is reliable: their AUC is under 0.75" in x for x in folded
    )
    assert "| **adapter** | 0.450 [0.350, 0.550] |" in folded[0] and "레이팅 · rating † |" in folded[0]
    assert "won – tied – lost † |" in folded[1] and "| base | 60% – 10% – 30% |" in folded[1]
    shown = text.split("### 카피 보기 · Sample lines\n", 1)[1]
    assert "in no order of merit" in shown and "Best and worst" not in shown and "PV" not in shown
    products = [line.split(" | ")[0].strip("| ") for line in shown.splitlines() if line.startswith("| ")]
    assert products == ["상품 · product", *(product for product, _, _ in PAIRS)]
    report = markdown(judged_by(POOR))
    assert "0.450 [" not in outside_folds(report) and "0.35 †: adapter 0번 이유" in report


@pytest.mark.field
def test_the_most_reliable_judge_leads_wherever_it_is_given():
    coin = replace(POOR, name="coin-flip at localhost", family="geval", scoring="samples", samples=5)
    report = judged_by(coin, JUDGE, GOOD)
    assert [one.judge.name for one in report.judgements] == [GOOD.name, JUDGE.name, coin.name]
    assert report == judged_by(GOOD, coin, JUDGE)
    text = evaluation_section(report, ADAPTER)
    seen = outside_folds(text)
    assert seen.index(f"judge: {GOOD.name}") < seen.index(f"judge: {JUDGE.name}")
    assert f"judge: {coin.name} (루브릭" not in seen and f"judge: {coin.name} (루브릭" in text
    assert f"Best and worst lines by {GOOD.name}:" in text
    assert {result.metric_args["judge"] for result in model_index(report, ADAPTER)} == {GOOD.name, JUDGE.name}
    assert coin.name not in eval_results(report, ADAPTER)


def test_equally_reliable_judges_stand_as_they_were_given():
    twins = [replace(JUDGE, name=name) for name in ("나중 이름", "가")]
    assert [one.judge.name for one in judged_by(*twins).judgements] == ["나중 이름", "가"]
    comparing = replace(JUDGE, name="comparing", duels=around(0.9, 0.05), contradictions=0.1)
    assert [judge.reliability for judge in (JUDGE, comparing, POOR)] == [pytest.approx(2 / 3), 3 / 4, 0.0]
    assert judged_by(JUDGE, comparing).leading.judge is comparing


@pytest.mark.field
def test_a_metric_that_says_the_same_of_every_line_has_no_numbers():
    flat = replace(calibration(0.5), slope=0.0, intercept=0.0)
    report = judged_by(replace(JUDGE, calibration=JUDGE.calibration | {"pv": flat}))
    text = evaluation_section(report, ADAPTER)
    assert "| **adapter** | – | 0.450 [0.350, 0.550] |" in text
    assert "| base | 60% – 10% – 30% | – | +0.350" in text
    assert "–: PV에서" in text and "every line would be given 0.5, which is left out" in text
    # Of the lines' scores those that can be trusted; Creativity's stands beside its reason, and PV's nowhere.
    assert "| adapter | 장마는 창밖에서만 | 0.45 | |" in markdown(report)
    assert "| adapter | adapter 1번 이유 | adapter 1번 이유 | 0.45 †: adapter 1번 이유 |" in markdown(report)


def test_comparisons_are_marked_where_a_judge_scores_reliably_and_compares_badly():
    text = evaluation_section(judged_by(GOOD), ADAPTER)
    assert "레이팅 · rating † |" in text and "won – tied – lost † |" in text
    assert "neither wins nor ratings can be trusted" in text and "<details>" not in text


def test_what_fails_on_lines_by_models_alone_is_marked_with_its_reason():
    kinds = dict(calibration(0.9).kinds) | {MODEL_MADE: KindAccuracy(0.2, 0.2, 150)}
    failing = replace(calibration(0.9), kinds=kinds, reliable=False)
    report = judged_by(replace(JUDGE, calibration=JUDGE.calibration | {"pv": failing}))
    text = evaluation_section(report, ADAPTER)
    assert re.search(r"\| 상품·가치 반영 PV \| 0\.90 .*모델이 쓴 카피에서 신뢰도 낮음 · unreliable on lines .* †", text)
    assert "PV † |" in text and "PV 0.90 †" in text and all(said in text for said in READERS)
    assert [result.metric_type for result in model_index(report, ADAPTER)] == ["hanjul-naturalness"]


def test_results_are_those_of_each_judge_in_what_it_can_be_trusted_with():
    report = judged_by(JUDGE, GOOD)
    assert [(result.metric_type, result.metric_args["judge"]) for result in model_index(report, ADAPTER)] == [
        ("hanjul-pv", GOOD.name),
        ("hanjul-naturalness", GOOD.name),
        ("hanjul-creativity", GOOD.name),
        ("hanjul-pv", JUDGE.name),
        ("hanjul-naturalness", JUDGE.name),
    ]
    # A task has one value on the Hub: the first judge's that can be trusted with it.
    few = replace(GOOD, calibration={"pv": calibration(0.6), "creativity": calibration(0.9, "creativity")})
    report = judged_by(JUDGE, few)
    entries = parse_eval_result_entries(yaml.safe_load(eval_results(report, ADAPTER, "2026-11-23")))
    assert [(entry.task_id, JUDGE.name in entry.notes, GOOD.name in entry.notes) for entry in entries] == [
        ("hanjul-pv", True, False),
        ("hanjul-naturalness", True, False),
        ("hanjul-creativity", False, True),
    ]
    assert entries[0] == EvalResultEntry(
        dataset_id="hanjul-team/hanjul-copy",
        task_id="hanjul-pv",
        value=0.45,
        dataset_revision="d" * 40,
        date="2026-11-23",
        source_url=f"https://huggingface.co/{ADAPTER}/blob/main/evaluation/report.md",
        source_name="Hanjul evaluation report",
        notes="3 pairs, 0-1, judged by google/gemma-3-270m@bbbbbbb (AUC 0.90)",
    )


def test_two_judges_side_by_side():
    text = evaluation_section(judged_by(GOOD, JUDGE), ADAPTER)
    assert text.count("기준 프로젝트가 공개한 값") == 1  # beside the leading judge's only
    assert "루브릭 채점, 5회 표본의 평균" in text and "언어 모델의 가능도" in text
    assert "0.70 [0.65, 0.75] † 신뢰도 낮음 · unreliable, 순서에 따라 답이 바뀐 비율 12%" in text
    assert "다수 의견이 분명한 38건에서 채점 모델이 다수와 같은 쪽을 고른 비율은 0.71 [0.61, 0.81]" in text
    assert "알파는 0.42 [0.32, 0.52]" in text
    assert text.count("closer than 0.02 is a tie") == 1  # only the judge that does not compare


def test_comparisons_are_seen_from_the_card_s_own_system():
    systems = REPORT.systems[::-1]  # the adapter first: its duel is reported from the other side
    said = REPORT.judgements[0]
    text = evaluation_section(replace(REPORT, systems=systems), ADAPTER)
    assert "| base, 4 examples | 60% – 10% – 30% | +0.400 [+0.310, +0.490], p < 0.001 |" in text
    other = evaluation_section(REPORT, "google/gemma-3-270m")
    assert "| adapter | 30% – 10% – 60% | -0.400 [-0.490, -0.310], p < 0.001 |" in other
    assert len(said.duels) == 1


def test_pairs_left_out_are_counted():
    said = replace(REPORT.judgements[0], unjudged=1)
    report = replace(REPORT, judgements=(said,))
    assert "1 pair without a score left out." in evaluation_section(report, ADAPTER)
    assert model_index(report, ADAPTER)[0].metric_args["pairs"] == 2


def test_a_judge_without_a_metric_is_shown_without_it():
    """A likelihood judge that scores PV alone beside an LLM that scores all three."""
    partial = replace(JUDGE, calibration={"pv": JUDGE.calibration["pv"]})
    report = wide_report(["base", "SFT adapter", "adapter"], [GOOD, partial])
    systems = tuple(
        replace(
            system,
            lines=tuple(
                replace(line, verdicts=line.verdicts | {partial.name: Verdict({"pv": 0.4}, {"pv": "까닭"})})
                for line in system.lines
            ),
        )
        for system in report.systems
    )
    report = replace(report, systems=systems)
    tables = evaluation_section(report, ADAPTER).split("| 모델 · system |")
    # All of the little that it says can be trusted, so it leads.
    assert "자연스러움 Naturalness" not in tables[1].split("\n")[0] and "자연스러움 Naturalness" in tables[2]
    assert f"- {partial.name}: 상품·가치 반영 PV 0.90.\n" in evaluation_section(report, ADAPTER)
    assert "| 0.40 / 0.57 | – / 0.57 |" in markdown(report)
    assert [
        result.metric_type for result in model_index(report, ADAPTER) if result.metric_args["judge"] == JUDGE.name
    ] == ["hanjul-pv"]
    assert sorted(files(report, ADAPTER))[-1] == "evaluation/scores.png"


def test_files_of_an_evaluation():
    always = [
        ".eval_results/hanjul.yaml",
        "evaluation/calibration.png",
        "evaluation/report.json",
        "evaluation/report.md",
    ]
    assert sorted(files(judged_by(POOR), ADAPTER)) == always
    assert sorted(files(REPORT, ADAPTER)) == [*always, "evaluation/scores.png"]
    names = ["base", "SFT adapter", "adapter"]
    three = wide_report(names, [JUDGE])
    assert sorted({*files(three, ADAPTER)} - {*always}) == ["evaluation/duels.png", "evaluation/scores.png"]
    assert set(files(three, ADAPTER)) == set(OWN)
    badly = wide_report(names, [replace(JUDGE, duels=around(0.6, 0.1), contradictions=0.4)])
    assert "evaluation/duels.png" not in files(badly, ADAPTER)
    assert "duels.png" not in markdown(badly) + evaluation_section(badly, ADAPTER)
    assert "(evaluation/duels.png)" in evaluation_section(three, ADAPTER)
    assert "(duels.png)" in markdown(three) and "(duels.png)" not in markdown(REPORT)


def test_the_report_has_every_line_by_pair_with_scores_and_reasons():
    text = markdown(judged_by(JUDGE, GOOD))
    first, second = text[text.index("### 우산") :], text[text.index("### 제습기") :]
    assert first.index("| base | 비가") < first.index("| adapter | 비가") < first.index("### 제습기")
    assert "| adapter | 장마는 창밖에서만 | 0.45 / 0.45 |" in second
    assert f"| adapter | {GOOD.name} | adapter 1번 이유 |" in second
    assert "| 노출 학습 데이터와 겹침: 나만 듣는 파도 |" in text
    for system in REPORT.systems:
        assert f"{system.model}@{system.revision}" in markdown(REPORT)


def test_without_an_evaluation_the_card_says_so_and_how():
    text = render(CardFacts(RELEASE, TRAINING))
    assert "model-index:" not in text
    assert f"`hanjul evaluate hf://models/{ADAPTER}`" in text


def test_a_dataset_without_validation_has_no_held_out_table():
    assert "held-out" not in render(CardFacts(RELEASE, replace(TRAINING, held_out=None)))


@pytest.mark.parametrize(
    ("settings", "korean", "english"),
    [
        ({}, "검증 손실이 가장 낮은 체크포인트를 골랐습니다.", "best checkpoint by held-out loss"),
        ({"keep": None}, "검증 손실이 가장 낮은 체크포인트를 골랐습니다.", "best checkpoint by held-out loss"),
        ({"keep": "last"}, "마지막 체크포인트를 그대로 썼습니다.", "last checkpoint"),
    ],
)
def test_the_card_says_which_checkpoint_was_taken(settings, korean, english):
    text = render(CardFacts(RELEASE, replace(TRAINING, settings={**TRAINING.settings, "patience": 2, **settings})))
    assert korean in text and f", {english}; " in text
    assert ("| patience |" in text) == (settings.get("keep") != "last")  # it has no effect then


def test_the_usage_is_python():
    code = re.search(r"```python\n(.*?)```", render(FACTS), re.DOTALL)
    assert code
    ast.parse(code[1])
    assert '{"role": "user", "content": "상품: 핸드크림\\n가치: 촉촉한"}' in code[1]


def test_evaluating_later_gives_the_same_card_and_is_idempotent():
    later = replace_evaluation(render(CardFacts(RELEASE, TRAINING)), REPORT, ADAPTER)
    assert later == render(FACTS)
    assert replace_evaluation(later, REPORT, ADAPTER) == later


def test_replacing_keeps_what_people_wrote_and_others_results():
    card = ModelCard(render(FACTS).replace("## 한계", "## 손으로 쓴 절\n\n그대로 둘 것.\n\n## 한계"))
    card.data["widget"] = [{"text": "우산"}]
    foreign = replace(card.data.eval_results[0], metric_type="bleu", metric_value=0.1)
    card.data.eval_results.append(foreign)
    said = REPORT.judgements[0]
    means = {name: dict.fromkeys(METRICS, around(0.9)) for name in said.means}
    better = replace(REPORT, judgements=(replace(said, means=means),))
    before, after = str(card), replace_evaluation(str(card), better, ADAPTER)

    assert after.split(START)[0].split("---\n")[2] == before.split(START)[0].split("---\n")[2]
    assert after.split(END)[1] == before.split(END)[1]
    data = ModelCard(after).data
    assert data["widget"] == [{"text": "우산"}]
    assert [(r.metric_type, r.metric_value) for r in data.eval_results] == [
        ("bleu", 0.1),
        ("hanjul-pv", 0.9),
        ("hanjul-naturalness", 0.9),
    ]


def test_a_card_without_markers_gets_the_section_at_its_end():
    text = replace_evaluation("---\nlicense: mit\n---\n\n# Mine\n", REPORT, ADAPTER)
    assert text.index("# Mine") < text.index(START)
    assert text.endswith(END + "\n")


@pytest.mark.parametrize(
    ("card", "message"),
    [(f"# Mine\n{START}\n", "only one of the markers"), ("---\n- a list\n---\n", "metadata cannot be read")],
)
def test_cards_that_cannot_be_changed(card, message):
    with pytest.raises(CardError, match=message):
        replace_evaluation(card, REPORT, ADAPTER)


@pytest.mark.parametrize("make", [evaluation_section, model_index, eval_results, files])
def test_a_report_on_other_models(make):
    with pytest.raises(ReportError, match="does not judge someone/else: it judges google/gemma-3-270m, "):
        make(REPORT, "someone/else")


def test_what_a_model_wrote_stays_in_its_cell():
    assert cell("a | b\n<img src=x> [x](y) `c`") == r"a \| b &lt;img src=x> \[x\](y) \`c\`"


HOSTILE = st.one_of(
    st.sampled_from([END, START, "</details>", "```", "|---|", "\\|", "# 제목", "<script>", "- [x](y)", "$$", "~~~\n"]),
    st.text(alphabet="|`<>!-\n\r\\*_[]()#~&$=:'\"한줄 \u2028\x0b\x85\t", max_size=24),
)


def tables(text):
    """Cells a row, of every table that a Markdown parser sees."""
    found, row = [], 0
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "table_open":
            found.append([])
        elif token.type in ("th_open", "td_open"):
            row += 1
        elif token.type == "tr_close":
            found[-1].append(row)
            row = 0
    return found


@settings(deadline=None, max_examples=40)
@given(st.lists(HOSTILE, min_size=7, max_size=7))
def test_hostile_text_stays_in_its_cell(texts):
    product, value, line, reason, copied, name, judge = texts
    verdict = Verdict(dict.fromkeys(METRICS, 0.5), dict.fromkeys(METRICS, reason))
    facts = replace(JUDGE, name=f"채점 {judge}")
    base = judged_by(facts)
    hostile = Line("", f"상품 {product}", (f"가치 {value}",), line, {facts.name: verdict}, True, False, copied)
    names = {"base": f"하나 {name}", "adapter": f"둘 {name}"}
    systems = tuple(replace(s, name=names[s.name], lines=(hostile,)) for s in base.systems)
    said = base.judgements[0]
    report = replace(
        base,
        systems=systems,
        judgements=(
            replace(
                said,
                means={names[key]: found for key, found in said.means.items()},
                sds={names[key]: found for key, found in said.sds.items()},
                ratings={names[key]: found for key, found in said.ratings.items()},
                duels=(replace(said.duels[0], system=names["adapter"], reference=names["base"]),),
            ),
        ),
    )
    card, text = render(CardFacts(RELEASE, TRAINING, report)), markdown(report)
    body = ModelCard(card).text
    assert body.count(START) == body.count(END) == 1
    assert replace_evaluation(card, report, ADAPTER) == card
    rows = {"card": tables(body.split(START)[1]), "report": tables(text)}
    assert [len(table) for table in rows["card"]] == [7, 3, 2, 4, 2]
    assert [len(table) for table in rows["report"]] == [7, 2, 3, 4, 10, 3, 3]
    assert all(len(set(table)) == 1 for found in rows.values() for table in found)
    assert text.count("</details>") == 1


def test_a_likelihood_judge_that_wrote_lines_itself_is_named():
    said = "채점 모델이 base, 4 examples의 카피를 쓴 바로 그 모델이라"
    assert said in evaluation_section(REPORT, ADAPTER)
    other = replace(REPORT, systems=tuple(replace(system, model=f"{system.model}-other") for system in REPORT.systems))
    assert said not in evaluation_section(other, f"{ADAPTER}-other")


def test_published_scores_stand_beside_one_judge_in_tables_and_figures_alike():
    """The first that has one of their metrics; Sense was never published."""
    of_sense = replace(JUDGE, name="sense on a base", calibration={"sense": calibration(0.8, "sense")})
    report = wide_report(["base", "adapter"], [of_sense, JUDGE, GOOD])
    assert [is_comparable(report, one) for one in report.judgements] == [False, True, False]
    assert [one.judge.name for one in report.judgements] == [of_sense.name, GOOD.name, JUDGE.name]
    text = markdown(report)
    assert text.count("기준 프로젝트가 공개한 값") == 1
    assert f"{published().systems[0].parameters}) ‡ |" in text.split(f"### {GOOD.name}")[1].split("### ")[0]

"""The adapter's README: golden, readable by the Hub's own parser, and changed only where it should be."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from model_card.card import END, START, CardError, render, replace_evaluation
from model_card.facts import CardFacts, Interval
from pipelines.markdown import cell
from tests.model_card.facts import ADAPTER, FACTS, RELEASE, REPORT, TRAINING, calibration

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


def test_an_unreliable_metric_is_marked_and_left_out_of_the_index():
    text = render(FACTS)
    assert "hanjul-creativity" not in text
    assert re.search(r"\| 창의성 Creativity \| 0\.60 .*신뢰도 낮음 · unreliable †", text)


def test_no_index_where_no_metric_is_reliable():
    poor = replace(REPORT, calibration={name: calibration(0.5) for name in REPORT.calibration})
    assert "model-index:" not in render(CardFacts(RELEASE, TRAINING, poor))


def test_without_an_evaluation_the_card_says_so_and_how():
    text = render(CardFacts(RELEASE, TRAINING))
    assert "model-index:" not in text
    assert f"`hanjul evaluate hf://models/{ADAPTER}`" in text


def test_a_dataset_without_validation_has_no_held_out_table():
    assert "held-out" not in render(CardFacts(RELEASE, replace(TRAINING, held_out=None)))


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
    better = replace(
        REPORT, systems=tuple(replace(s, means=dict.fromkeys(s.means, Interval(0.9, 0.8, 1.0))) for s in REPORT.systems)
    )
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
    ("card", "repo", "message"),
    [
        (f"# Mine\n{START}\n", ADAPTER, "only one of the markers"),
        ("---\n- a list\n---\n", ADAPTER, "metadata cannot be read"),
        ("# Mine\n", "someone/else", "does not judge someone/else"),
    ],
)
def test_cards_that_cannot_be_changed(card, repo, message):
    with pytest.raises(CardError, match=message):
        replace_evaluation(card, REPORT, repo)


def test_what_a_model_wrote_stays_in_its_cell():
    assert cell("a | b\n<img src=x> [x](y) `c`") == r"a \| b &lt;img src=x> \[x\](y) \`c\`"

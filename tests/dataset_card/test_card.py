from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from datasets import load_dataset
from huggingface_hub import DatasetCard
from huggingface_hub.repocard import metadata_load
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dataset_card.card import BEGIN, END, config, merge_configs, render
from dataset_card.facts import Given, gather
from dataset_card.head import size_category
from pipelines import features
from pipelines.errors import HanjulError
from pipelines.feedback.pairs import Tally
from pipelines.filters.filter_rows import CANDIDATE_REASONS, REASONS
from pipelines.rows import split_of
from pipelines.text.line_index import Lines
from scripts.core.settings import Recipe
from scripts.local_hub import cards
from tests.dataset_card.rows import GATE, GIVEN, PRODUCED, READING, facts, release
from tests.limits import limits

#: Made by `python -m tests.dataset_card.golden`; read the difference before you commit it.
GOLDEN = Path(__file__).parent / "golden" / "README.md"
FIGURES = [f"figures/{name}.png" for name in ("acceptance", "quality", "lengths", "coverage", "scores")]


def head(readme: str) -> dict:
    return yaml.safe_load(readme.split("---")[1])


def languages(readme: str) -> tuple[str, str]:
    return readme.partition("\n## English\n")[::2]


def test_card_is_exactly_this():
    assert render(facts(), FIGURES) == GOLDEN.read_text(encoding="utf-8")


def test_the_hub_client_reads_it(tmp_path):
    (tmp_path / "README.md").write_text(render(facts(), FIGURES), encoding="utf-8")
    card = DatasetCard.load(tmp_path / "README.md")
    assert card.data.language == ["ko"] and card.data.license == "cc-by-4.0"
    assert card.data.size_categories == ["n<1K"]
    names = [entry["config_name"] for entry in card.data.configs]
    assert names == ["default", "preferences", "rejected", "candidates", "pairs", "raw"]
    assert card.data.configs[0]["default"] is True
    assert metadata_load(tmp_path / "README.md")["tags"][0] == "synthetic"


@pytest.mark.parametrize("source", ["", "written", "imported", "synthesised"])
def test_the_hub_takes_it(source):
    assert cards.problems("datasets", render(facts(source), FIGURES)) == ([], [])


@pytest.fixture
def released(tmp_path) -> Path:
    """A folder with the files of the release, as they stand in the repo."""
    kept, rejected = release()
    for split, path in features.CONFIG_FILES["default"].items():
        rows = [features.to_default(row) for row in kept if split_of(row["product"]) == split]
        features.write_rows(rows, tmp_path / path, features.DEFAULT)
    candidates = [features.to_rejected(row) for row in rejected if row["reason"] in CANDIDATE_REASONS]
    others = [features.to_rejected(row) for row in rejected if row["reason"] not in CANDIDATE_REASONS]
    features.write_rows(candidates, tmp_path / "candidates" / "train.parquet", features.CANDIDATES)
    features.write_rows(others, tmp_path / "rejected" / "train.parquet", features.REJECTED)
    features.write_raw([*kept, *rejected], tmp_path / "raw" / "written.parquet")
    (tmp_path / "README.md").write_text(render(facts(), FIGURES), encoding="utf-8")
    return tmp_path


def test_the_configs_load(released):
    options = {"cache_dir": str(released.parent / "cache")}
    loaded = load_dataset(str(released), **options)
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 3, "validation": 1, "test": 1}
    assert loaded["train"].features == features.DEFAULT
    assert len(load_dataset(str(released), "rejected", split="train", **options)) == 3
    candidates = load_dataset(str(released), "candidates", split="train", **options)
    assert candidates.features == features.CANDIDATES
    assert [(row["ad_copy"], row["reason"], row["evidence"], row["place"]) for row in candidates] == [
        ("약속이 먼저 도착했다", "judge", "sense 0.200 < 0.500", 0),
        ("발등에 내려앉은 일요일", "outranked", "place 2 of 2", 2),
    ]
    assert len(load_dataset(str(released), "raw", split="train", **options)) == 10


def test_what_the_card_tells_people_to_run_runs(released):
    blocks = re.findall(r"```python\n(.*?)```", (released / "README.md").read_text(encoding="utf-8"), re.S)
    assert len(blocks) == 2 and blocks[0] == blocks[1] and len(blocks[0].split("\n\n")) == 2
    assert blocks[0].count(GIVEN.repo_id) == 1
    cache = {"HF_HOME": str(released.parent / "home"), "HF_HUB_OFFLINE": "1"}
    found = subprocess.run(
        [sys.executable, "-c", blocks[0].replace(GIVEN.repo_id, str(released))],
        env=os.environ | cache,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == "모카포트 ['설렘'] 치익, 가스레인지 위에서 로마가 말을 건다\n"


def test_splits_without_rows_are_not_named():
    only = [row for row in release()[0] if row["product"] == "모카포트"]
    card = head(render(gather(GIVEN, PRODUCED, only, []), FIGURES))
    assert len(card["configs"][0]["data_files"]) == 1
    assert [entry["config_name"] for entry in card["configs"]] == ["default", "raw"]


def test_the_usage_names_a_split_that_there_is():
    product = next(row["product"] for row in release()[0] if split_of(row["product"]) != "train")
    only = [row for row in release()[0] if row["product"] == product]
    assert f'split="{split_of(product)}")' in render(gather(GIVEN, PRODUCED, only, []), FIGURES)


def test_preferences_stand_in_the_splits_that_have_them():
    kept, rejected = release()
    by_split = gather(GIVEN, PRODUCED, kept, rejected, preferences={"train": 2, "validation": 0, "test": 1})
    entry = head(render(by_split, FIGURES))["configs"][1]
    assert entry == config("preferences", ["train", "test"])
    assert by_split.computed.preferences == 3
    without = head(render(gather(GIVEN, PRODUCED, kept, rejected), FIGURES))
    assert "preferences" not in [entry["config_name"] for entry in without["configs"]]


def test_every_reason_is_explained_in_both_languages_and_no_other():
    kept, (row, *_) = release()
    korean, english = languages(render(gather(GIVEN, PRODUCED, kept, [row | {"reason": "claim"}]), FIGURES))
    for name, reason in REASONS.items():
        assert (f"| `{name}` | 1 | {reason.korean} |" in korean) == (name == "claim")
        assert (f"| `{name}` | 1 | {reason.english} |" in english) == (name == "claim")


def test_nothing_rejected_is_said():
    korean, english = languages(render(gather(GIVEN, PRODUCED, release()[0], []), FIGURES))
    assert "걸러 낸 행이 없습니다." in korean and "No line was rejected." in english
    assert 'R["' not in korean + english


def test_votes_of_visitors_are_counted_where_they_were_used():
    voted = replace(PRODUCED, visitors=Tally(likes=1200, dislikes=34, edits=5, pairs=67))
    korean, english = languages(render(gather(GIVEN, voted, *release(), preferences={"train": 67}), FIGURES))
    assert "**방문자 평가**: 좋아요 1,200, 싫어요 34, 고친 글 5 → 선호 쌍 67." in korean
    assert "likes 1,200, dislikes 34, edits 5 → preferences 67." in english
    assert "| `feedback` |" in korean and "| `feedback` |" in english
    assert "방문자" not in render(facts(), FIGURES)


def test_changes_or_the_first_version():
    korean, english = languages(render(facts(), FIGURES))
    assert "v0.1.0 이후 `default`에 2행이 들어오고 1행이 빠졌습니다. 3행은 그대로입니다." in korean
    assert "Since v0.1.0, 2 rows came into `default`, 1 left it, and 3 stayed." in english
    korean, english = languages(render(gather(GIVEN, PRODUCED, *release()), FIGURES))
    assert "첫 버전입니다." in korean and "This is the first version." in english


def test_lines_that_were_compared_with_are_counted():
    found = replace(PRODUCED, limits=limits(slogans=Lines(["가", "나"]), reserved=Lines(["다"])))
    korean, english = languages(render(gather(GIVEN, found, *release()), FIGURES))
    assert "실제 슬로건 2개와는 0.6 이상이면 뺐습니다. 따로 남겨 둔 평가용 카피 1개와 닮은 카피도 뺐습니다." in korean
    assert ", or to 0.6 with one of 2 real slogans. Lines like one of 1 reserved for evaluation went too." in english


@pytest.mark.parametrize(
    ("teacher", "family"),
    [
        ("gpt-4o", "OpenAI"),
        ("openai/o3-mini", "OpenAI"),
        ("meta-llama/Llama-3.3-70B-Instruct", "Llama"),
        ("hf://models/x/gemma-lora@1", "Gemma"),
        ("Qwen/Qwen3-32B", "교사 모델 제공자의 약관"),
        ("gemini-2.5-pro", "교사 모델 제공자의 약관"),
    ],
)
def test_the_teachers_terms(teacher, family):
    found = replace(PRODUCED, teacher=teacher, teacher_base="")
    (line,) = re.findall("^- \\*\\*합성한 카피\\*\\*: .*", render(gather(GIVEN, found, *release()), FIGURES), re.M)
    names = {"OpenAI", "Llama", "Gemma", "교사 모델 제공자의 약관"}
    assert {name for name in names if name in line} == {family}


@pytest.mark.field
def test_another_model_than_asked_is_named_with_its_terms():
    found = replace(PRODUCED, teacher="meta-llama/Llama-3.1-8B", teacher_base="", asked="gpt-4o")
    korean, english = languages(render(gather(GIVEN, found, *release()), FIGURES))
    assert (
        "교사 모델: `meta-llama/Llama-3.1-8B`. 요청한 모델은 `gpt-4o`였지만 실제로는 다른 모델이 답했습니다." in korean
    )
    assert (
        "Teacher: `meta-llama/Llama-3.1-8B`. Asked for was `gpt-4o`; the endpoint had another model answer." in english
    )
    assert "Llama Community License" in english and "OpenAI" not in english


def test_imported_rows_change_the_licence():
    card = render(facts("imported"), FIGURES[:3])
    korean, english = languages(card)
    assert head(card)["license"] == "other" and "synthetic" not in head(card)["tags"]
    assert "관리자가 아직 밝히지 않았습니다" in korean and "has not stated" in english
    assert "coverage.png" not in card and "scores.png" not in card and "Gemma Terms" not in card
    stated = render(facts("imported", Given("NS/x", "엑스", imported_terms="CC0")), FIGURES[:3])
    assert "- **가져온 카피**: CC0\n" in stated and "아직 밝히지" not in stated


@pytest.mark.parametrize(
    ("gate", "korean", "english"),
    [
        (GATE, "확률이 0.50 이상인 카피만 넣었습니다", "so that 80% of them are usable: 18 of the 22 graded lines"),
        (
            replace(GATE, threshold=None, why="the best has 0.55"),
            "80%가 쓸 만해지는 기준을 찾지 못해",
            "No synthesised line came in: the best has 0.55.",
        ),
        (
            replace(GATE, threshold=None, reliable=False, why="the judge is unreliable"),
            "점수를 믿을 수 없어",
            "No synthesised line came in: the judge is unreliable.",
        ),
        (None, "규칙을 통과한 합성 카피가 그대로 들어 있습니다", "nobody did"),
    ],
)
def test_what_the_gate_was_is_said(gate, korean, english):
    texts = languages(render(gather(GIVEN, replace(PRODUCED, gate=gate), *release()), FIGURES))
    for text, said in zip(texts, (korean, english), strict=True):
        assert said in text
        assert ("0.86 [0.81, 0.90]" in text) == (gate is not None)


def test_a_teacher_all_of_whose_lines_wait_is_named_with_its_terms():
    kept, rejected = release()
    waiting = [row | {"reason": "judge", "evidence": "x"} for row in kept if row["source"] == "synthesised"]
    written = [row for row in kept if row["source"] == "written"]
    korean, english = languages(render(gather(GIVEN, PRODUCED, written, [*rejected, *waiting]), FIGURES))
    for text in (korean, english):
        assert text.count(PRODUCED.teacher) == 1 and "Gemma" in text
    assert "통과하지 못한 4개는 `candidates`에 있습니다" in korean
    assert "wait in `candidates`: 4." in english


def test_readers_and_the_judge_say_how_many_lines_are_usable():
    korean, english = languages(render(facts(), FIGURES))
    assert "| 합성한 카피, `candidates` | 2 | 50.0% | 채점 모델이 매긴 확률의 평균 |" in korean
    assert "| 새로 쓴 카피 | 50 | 92.0% | 읽고 매긴 등급 |" in korean and "`flat` | 0" not in korean
    assert "| synthesised, `default` | 3 | 73.3% | the judge's mean chance |" in english
    assert "| by several models | 60 | 5.0% | grades of readers |" in english
    assert READING.korean in korean and READING.english in english


def test_tables_hold_against_pipes():
    assert "| 이불 \\| 담요 | 포근함 |" in GOLDEN.read_text(encoding="utf-8")


def test_what_a_model_wrote_is_text_on_the_card():
    rows = [row | {"ad_copy": "<img src=x> **[봄](x)** `왔다`"} for row in release()[0]]
    card = render(gather(GIVEN, PRODUCED, rows, []), FIGURES)
    assert r"| &lt;img src=x> \*\*\[봄\](x)\*\* \`왔다\` |" in card and "<img src=x" not in card


#: Titles that Markdown, YAML or BibTeX would read as more than text.
TITLES = [
    "봄\n# 여름",
    "a: b # c",
    "- 목록",
    "---",
    "**굵게** <b>x</b> [링크](x)",
    "\"따옴표\" '와' {중괄호} 100%",
    "표 | 칸",
    "{{ x }}",
]


@pytest.mark.field
@pytest.mark.parametrize("title", TITLES)
def test_a_title_is_one_heading_and_one_value(title):
    card = render(facts(given=replace(GIVEN, title=title)), FIGURES)
    assert head(card)["pretty_name"] == title if "---" not in title else card.startswith("---\n")
    assert DatasetCard(card).data.pretty_name == title
    body = card.partition(BEGIN)[2]
    assert body.startswith("\n# ") and len(re.findall("^# ", body, flags=re.MULTILINE)) == 1
    assert cards.problems("datasets", card) == ([], [])
    assert "<b>" not in body.splitlines()[1]
    value = re.search(r"title  = \{(.*)\},\n", body)[1]
    assert value.count("{") == value.count("\\{") and "\n" not in value
    assert Recipe(title=title).title == " ".join(title.split())


def test_a_title_needs_words():
    with pytest.raises(ValidationError, match="a title needs words"):
        Recipe(title=" \n")


@pytest.mark.field
def test_a_byte_order_mark_hides_no_metadata():
    card = merge_configs("\ufeff---\nlicense: mit\ntags: mine\n---\n# 내 글\n", "NS/x", "raw")
    assert head(card) == {"license": "mit", "tags": "mine", "configs": [config("raw")]}
    assert card.endswith("---\n\n# 내 글\n") and "\ufeff" not in card
    released = render(facts(), FIGURES, card)
    assert "mine" in head(released)["tags"] and "m" not in head(released)["tags"]
    assert released.count("---\n") == 2


@pytest.mark.field
@pytest.mark.parametrize("yaml", ["license: [", "- one", "a: b: c", "license: !x y", "1", "configs: 3", "configs: [x]"])
def test_metadata_of_a_person_is_read_or_refused(yaml):
    try:
        card = merge_configs(f"---\n{yaml}\n---\n# 내 글\n", "NS/x", "raw")
    except HanjulError as error:
        assert error.what.startswith("The metadata of the README cannot be read: ") and error.next_step
    else:
        assert head(card)["configs"] == [config("raw")]


def test_rendering_again_changes_nothing():
    once = render(facts(), FIGURES)
    assert render(facts(), FIGURES, once) == once


def test_what_a_person_wrote_stays():
    extra = "configs:\n- config_name: extra\n  data_files: x.csv\n"
    by_hand = f"---\nlicense: mit\ntags:\n- mine\nviewer: false\n{extra}---\n\n# 내 글\n\n소개입니다.\n"
    card = render(facts(), FIGURES, by_hand)
    assert card.index("소개입니다.") < card.index(BEGIN)
    assert head(card)["viewer"] is False and "mine" in head(card)["tags"] and head(card)["license"] == "cc-by-4.0"
    assert head(card)["configs"][-1] == {"config_name": "extra", "data_files": "x.csv"}
    later = card.replace("소개입니다.", "고친 소개입니다.") + "\n덧붙인 말\n"
    again = render(facts(), FIGURES, later)
    assert "고친 소개입니다." in again and again.rstrip().endswith("덧붙인 말")
    assert again.count(BEGIN) == 1


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from([BEGIN, END, "글", "# 제목", "\n", "\n---\n", "\\1", "{{ x }}"])))
def test_no_text_outside_our_marks_is_lost(parts):
    existing = "".join(f"{part}{place}" if part == "글" else part for place, part in enumerate(parts))
    card = render(FACTS, FIGURES, f"---\nviewer: false\n---\n{existing}")
    outside = re.sub(f"{BEGIN}(?:(?!{BEGIN}).)*?{END}", "", existing, count=1, flags=re.S)
    assert re.findall(r"글\d+", card.replace(OURS, "", 1)) == re.findall(r"글\d+", outside)
    assert card.count(OURS) == 1 and head(card)["viewer"] is False
    assert render(FACTS, FIGURES, card) == card


def test_dataset_info_of_a_person_stays_and_that_of_our_files_goes():
    mine = {"config_name": "extra", "features": [{"name": "가", "dtype": "string"}], "splits": [], "dataset_size": 3}
    ours = {"config_name": "default", "features": [{"name": "ad_copy", "dtype": "string"}], "dataset_size": 3}
    told = {"config_name": "rejected", "description": "손으로 쓴 설명", "download_size": 5}

    def info(entries: object) -> object:
        existing = f"---\n{yaml.safe_dump({'dataset_info': entries})}---\n"
        return head(render(FACTS, FIGURES, existing)).get("dataset_info")

    assert info([mine, ours, told]) == [mine, {"config_name": "rejected", "description": "손으로 쓴 설명"}]
    assert info(mine) == mine
    assert info(ours) is None and info([ours]) is None and info({"features": []}) is None


def test_a_licence_of_an_earlier_release_does_not_linger():
    imported = render(facts("imported"), FIGURES)
    assert "license_name" in head(imported)
    assert "license_name" not in head(render(facts(), FIGURES, imported))


def test_a_config_without_rows_any_more_does_not_linger():
    kept = release()[0]
    card = head(render(gather(GIVEN, PRODUCED, kept, []), FIGURES, render(facts(), FIGURES)))
    assert [entry["config_name"] for entry in card["configs"]] == ["default", "pairs", "raw"]


def test_small_stages_add_their_config_and_nothing_else():
    first = merge_configs("", "NS/x", "raw")
    assert head(first)["configs"] == [config("raw")] and "# NS/x" in first
    second = merge_configs(first, "NS/x", "pairs")
    assert head(second)["configs"] == [config("pairs"), config("raw")]
    assert second.split("---")[2] == first.split("---")[2]
    assert merge_configs(second, "NS/x", "raw") == second
    by_hand = "# 내 글\n\n소개입니다.\n"
    assert merge_configs(by_hand, "NS/x", "raw").endswith(by_hand)
    released = render(facts(), FIGURES)
    assert merge_configs(released, "NS/x", "raw") == released


def test_a_release_replaces_the_minimal_text():
    card = render(facts(), FIGURES, merge_configs("", "NS/x", "raw"))
    assert card == render(facts(), FIGURES)


def test_nothing_kept_is_an_error():
    with pytest.raises(HanjulError, match="No row passed the filters"):
        gather(GIVEN, PRODUCED, [], release()[1])


@pytest.mark.parametrize(("rows", "name"), [(999, "n<1K"), (1_000, "1K<n<10K"), (99_999, "10K<n<100K")])
def test_size_categories(rows, name):
    assert size_category(rows) == name


FACTS = facts()
OURS = render(FACTS, FIGURES)[render(FACTS, FIGURES).index(BEGIN) :].rstrip()

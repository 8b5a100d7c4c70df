"""The filter through its stage: what is committed, what a second version says of the first, and what runs again."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import httpx2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfUri
from huggingface_hub.errors import BadRequestError

from dataset_card.card import BEGIN, END, merge_configs
from model_card.judging.facts import Calibration
from model_card.judging.sense.gate import Gate
from model_card.statistics import Interval
from pipelines.errors import HanjulError
from pipelines.features import CANDIDATES, DEFAULT, PAIRS, PREFERENCES, RAW, REJECTED, write_raw, write_rows
from pipelines.metrics import METRICS
from pipelines.preferences import preferences_of
from pipelines.rows import make_row, split_of
from scripts.core.settings import Recipe
from scripts.filtering import semantic
from scripts.hub.hub import Hub
from scripts.stages import filter

Row = dict[str, Any]
Rows = Sequence[Row]

TEACHER = "copywriter-1"
TRAIN, VALIDATION, TEST = "모카포트", "건조기", "우산"
FEATURES = {
    "default": DEFAULT,
    "preferences": PREFERENCES,
    "rejected": REJECTED,
    "candidates": CANDIDATES,
    "raw": RAW,
    "pairs": PAIRS,
}


def row(line: str, product: str = TRAIN, value: str = "여유", source: str = "synthesised", **columns: Any) -> Row:
    teacher = TEACHER if source == "synthesised" else ""
    return dict(make_row(product, [value], line, **{"source": source, "teacher": teacher} | columns))


written, imported = partial(row, source="written"), partial(row, source="imported")

GOOD = [
    written("가스레인지 위에서 로마가 말을 건다"),
    written("월요일도 반쯤은 금요일", "원두"),
    imported("빗소리가 먼저 인사하는 골목", TEST),
    imported("셔츠보다 먼저 마르는 한숨", VALIDATION),
    row("부엌이 먼저 깬다"),
    written("처마를 들고 걷는 사람", TEST, merit="good"),
    written("빨랫줄이 은퇴한 베란다", VALIDATION, merit="good"),
]
OUTRANKED = [row("골목이 늦잠을 자는 동안")]
#: With the reason and the evidence.
BAD = [
    (row("모카포트 하나로 깨는 부엌"), "leak", "product 모카포트"),
    (row("우산 속에 접어 둔 소나기", TEST), "leak", "product 우산"),
    (row("건조기가 삼킨 장마", VALIDATION), "leak", "product 건조기"),
    (row("맛의 직감을 느껴 보세요."), "template", "form 해 보세요"),
    (row("부엌이 깨는 소리 😀"), "format", "emoji: U+1F600"),
    (row(""), "refusal", "no line"),
    (imported("불빛", "원두"), "length", "2 < 4 characters"),
]
REPEATED = row("가스레인지 위에서 로마가 말을 건다!", "원두")
FIRST = [*GOOD, *OUTRANKED, *(bad for bad, _, _ in BAD), REPEATED]

PERSON = """---
license: mit
tags:
- my-tag
annotator: 한글 사람
configs:
- config_name: mine
  data_files: mine.parquet
---
# 손으로 쓴 머리말

사람이 쓴 글 | 그대로.
"""


def recipe(version: str = "v0.1.0", **changes: Any) -> Recipe:
    return Recipe.model_validate({"version": version, "seed": 1, "filter": {"judge": "none"} | changes})


def push(hub: Hub, name: str, rows: Rows, pairs: bool = True) -> HfUri:
    """Commit rows as config `raw`, a file for each source and none besides, and the pairs that a teacher was asked."""
    repo = hub.repo("dataset", name)
    hub.api.create_repo(repo.id, repo_type="dataset", exist_ok=True)
    there = [path for path in hub.api.list_repo_files(repo.id, repo_type="dataset") if path.startswith("raw/")]
    head = HfUri(type="dataset", id=repo.id, revision=hub.head(repo))
    with TemporaryDirectory() as folder:
        files: dict[str, Path | bytes] = {}
        for source in sorted({row["source"] for row in rows}):
            files[f"raw/{source}.parquet"] = path = Path(folder) / f"{source}.parquet"
            write_raw([row for row in rows if row["source"] == source], path)
        readme = merge_configs(hub.text(head, "README.md"), repo.id, "raw")
        if pairs:
            files["pairs/train.parquet"] = path = Path(folder) / "pairs.parquet"
            write_rows([row | {"id": "0" * 16} for row in rows[:1]], path, PAIRS)
            readme = merge_configs(readme, repo.id, "pairs")
        files["README.md"] = readme.encode()
        operations = [CommitOperationAdd(path, content) for path, content in files.items()]
        gone = [CommitOperationDelete(path) for path in there if path not in files]
        commit = hub.api.create_commit(repo.id, [*operations, *gone], repo_type="dataset", commit_message="raw")
    return HfUri(type="dataset", id=repo.id, revision=commit.oid)


def run(hub: Hub, raw: HfUri, chosen: Recipe) -> HfUri:
    return filter.run(hub, raw, None, chosen)


def release(hub: Hub, name: str, rows: Rows, chosen: Recipe) -> HfUri:
    uri = run(hub, push(hub, name, rows), chosen)
    hub.api.create_tag(uri.id, tag=chosen.version, revision=uri.revision, repo_type="dataset")
    return uri


def configs(hub: Hub, uri: HfUri) -> set[str]:
    return set(hub.config_names(uri))


def parted(hub: Hub, uri: HfUri) -> dict[str, list[Row]]:
    """All rows of the configs that hold what was looked at; those that the card does not name are empty."""
    named = configs(hub, uri)
    return {
        name: hub.rows(uri, name).to_list() if name in named else [] for name in ("default", "candidates", "rejected")
    }


def lines(hub: Hub, uri: HfUri) -> list[str]:
    return sorted(row["ad_copy"] for row in hub.rows(uri, "default"))


def reasons(hub: Hub, uri: HfUri) -> dict[str, str]:
    return {row["ad_copy"]: row["reason"] for row in parted(hub, uri)["rejected"]}


def report(hub: Hub, uri: HfUri) -> Any:
    def refuse(name: str) -> NoReturn:
        raise AssertionError(f"{name} is not JSON")

    return json.loads(hub.text(uri, "report.json"), parse_constant=refuse)


@pytest.fixture(scope="module")
def first(hub: Hub) -> HfUri:
    return release(hub, "filtered", FIRST, recipe())


def test_every_raw_row_stands_in_one_config(hub: Hub, first: HfUri) -> None:
    found = parted(hub, first)
    assert Counter(row["id"] for rows in found.values() for row in rows) == Counter(row["id"] for row in FIRST)
    assert {row["id"] for row in found["default"]} == {row["id"] for row in GOOD}
    assert [(row["id"], row["reason"], row["place"]) for row in found["candidates"]] == [
        (OUTRANKED[0]["id"], "outranked", 2)
    ]
    by_id = {row["id"]: row for row in FIRST}
    for row in (row for rows in found.values() for row in rows):
        assert {name: row[name] for name in RAW} == by_id[row["id"]]
        assert row["scores"] == dict.fromkeys(METRICS)


def test_a_flat_line_is_a_candidate_and_the_worse_of_a_pair(hub: Hub) -> None:
    good, flat = written("부엌이 먼저 깬다", merit="good"), written("물을 끓여 커피를 내려요", merit="flat")
    uri = release(hub, "flat", [flat, good], recipe())
    found = parted(hub, uri)
    assert [(row["id"], row["merit"]) for row in found["default"]] == [(good["id"], "good")]
    assert [(row["id"], row["merit"], row["place"]) for row in found["candidates"]] == [(flat["id"], "flat", 2)]
    (pair,) = hub.rows(uri, "preferences")
    assert (pair["chosen_id"], pair["rejected_id"], pair["margin"]) == (good["id"], flat["id"], None)


def test_files_of_an_early_version_say_no_merit(hub: Hub, tmp_path: Path) -> None:
    rows = [imported("부엌이 먼저 깬다"), written("월요일도 반쯤은 금요일", "원두", merit="good")]
    now = push(hub, "early", rows, pairs=False)
    table = pq.read_table(hub.file(now, "raw/imported.parquet")).drop_columns("merit")
    pq.write_table(table, tmp_path / "imported.parquet")
    early = hub.api.upload_file(
        path_or_fileobj=tmp_path / "imported.parquet",
        path_in_repo="raw/imported.parquet",
        repo_id=now.id,
        repo_type="dataset",
    )
    raw = HfUri(type="dataset", id=now.id, revision=early.oid)
    assert hub.rows(raw, "raw")["merit"][:] == [None, "good"]
    assert hub.rows(run(hub, raw, recipe()), "default")["merit"][:] == ["", "good"]


def test_a_rejected_row_says_why(hub: Hub, first: HfUri) -> None:
    found = {row["id"]: (row["reason"], row["evidence"], row["group_id"]) for row in parted(hub, first)["rejected"]}
    best = GOOD[0]["id"]
    assert found == {
        **{bad["id"]: (reason, evidence, "") for bad, reason, evidence in BAD},
        REPEATED["id"]: ("near_duplicate", f"same as {best}", best),
    }


def test_splits_are_by_product_and_rows_are_ready_to_train_on(hub: Hub, first: HfUri) -> None:
    splits = hub.splits(first, "default")
    assert {name: set(rows["product"]) for name, rows in splits.items()} == {
        "train": {TRAIN, "원두"},
        "validation": {VALIDATION},
        "test": {TEST},
    }
    for split in splits.values():
        for kept in split:
            assert kept["prompt"] == [{"role": "user", "content": f"상품: {kept['product']}\n가치: 여유"}]
            assert kept["completion"] == [{"role": "assistant", "content": kept["ad_copy"]}]
            assert kept["group_id"] == kept["id"]


def test_preferences_set_a_released_line_against_a_worse_one(hub: Hub, first: HfUri) -> None:
    splits = hub.splits(first, "preferences")
    found = {
        (name, pair["chosen"][0]["content"], pair["rejected"][0]["content"], pair["reason"], pair["margin"])
        for name, rows in splits.items()
        for pair in rows
    }
    assert found == {
        ("train", "부엌이 먼저 깬다", "모카포트 하나로 깨는 부엌", "leak", None),
        ("train", "부엌이 먼저 깬다", "맛의 직감을 느껴 보세요.", "template", None),
    }


@pytest.mark.parametrize("config", FEATURES)
@pytest.mark.parametrize("streaming", [False, True])
def test_configs_load_as_anybody_loads_them(
    hub: Hub, first: HfUri, tmp_path: Path, config: str, streaming: bool
) -> None:
    assert configs(hub, first) == set(FEATURES)
    load = partial(load_dataset, first.id, revision="v0.1.0", cache_dir=str(tmp_path), streaming=streaming)
    found = load(config)
    assert {split: rows.features for split, rows in found.items()} == dict.fromkeys(found, FEATURES[config])
    expected = hub.splits(first, config)
    assert {split: list(rows) for split, rows in found.items()} == {name: list(rows) for name, rows in expected.items()}
    if config == "default":
        assert {split: list(rows) for split, rows in load().items()} == {
            name: list(rows) for name, rows in found.items()
        }


def test_the_manifest_counts_what_the_report_and_the_configs_hold(hub: Hub, first: HfUri) -> None:
    manifest, facts = hub.manifest(first), report(hub, first)
    rejected = {"leak": 3, **dict.fromkeys(("template", "format", "refusal", "length", "near_duplicate"), 1)}
    assert manifest["counts"] == {
        "in": 16,
        "out": 7,
        "rejected": rejected | {"outranked": 1},
        "sources": {"written": 4, "imported": 2, "synthesised": 1},
    }
    assert facts["rows"] == {"before": 16, "after": 7, "preferences": 2}
    assert facts["sources"] == manifest["counts"]["sources"]
    assert {step["reason"]: step["rejected"] for step in facts["acceptance"]} == manifest["counts"]["rejected"]
    assert facts["acceptance"][-1]["left"] == 7
    assert facts["splits"] == {
        "train": {"rows": 3, "products": 2},
        "validation": {"rows": 2, "products": 1},
        "test": {"rows": 2, "products": 1},
    }
    assert (facts["version"], facts["teacher"], facts["gate"]) == ("v0.1.0", TEACHER, None)
    assert (facts["before"]["rows"], facts["after"]["rows"]) == (16, 7)
    assert facts["before"]["leaks"]["product"] > facts["after"]["leaks"]["product"] == 0
    assert facts["limits"]["gated"] is False and facts["changes"] is None
    assert set(manifest["inputs"]) == {"raw", "slogans of Hanjul", "rules of Hanjul"}
    assert manifest["recipe"]["previous"] == "replace" and "engine" not in manifest["recipe"]


def test_the_card_shows_what_is_there(hub: Hub, first: HfUri) -> None:
    readme = hub.text(first, "README.md")
    files = set(hub.api.list_repo_files(first.id, repo_type="dataset", revision=first.revision))
    linked = set(re.findall(r"\]\(((?!http|#)[^)]+)\)", readme)) | set(re.findall(r'src="((?!http)[^"]+)"', readme))
    assert linked and linked <= files
    assert "This is the first version." in readme
    assert "- First version: 7 rows in `default`" in hub.text(first, "CHANGELOG.md")


def test_twice_does_nothing(hub: Hub, first: HfUri) -> None:
    raw = hub.resolve(hub.manifest(first)["inputs"]["raw"])
    commits = hub.api.list_repo_commits(first.id, repo_type="dataset")
    assert run(hub, raw, recipe()) == first
    assert run(hub, raw, recipe(engine="ray")) == first
    assert hub.api.list_repo_commits(first.id, repo_type="dataset") == commits


# The gate.

BASE = HfUri(type="model", id="nobody/none", revision="0" * 40)
CALIBRATION = Calibration(1.0, 0.0, Interval(0.86, 0.8, 0.9), Interval(0.9, 0.85, 0.95), {}, 100, True)
#: P(usable) of a synthesised line is 0.9 where it is among these, else 0.2.
USABLE = ("부엌이 먼저 깬다", "골목이 늦잠을 자는 동안")
WAITING = [row("모래시계가 드러눕는 밤", "원두"), row("달력에 없는 휴일 하나", TEST)]


def gate_of(threshold: float | None, asked: list[str], why: str = "9 of the 10 graded lines are usable") -> Gate:
    def log_odds(rows: Rows) -> list[float]:
        asked.extend(row["ad_copy"] for row in rows)
        return [math.log(9) if row["ad_copy"] in USABLE else -math.log(4) for row in rows]

    return Gate("a judge", CALIBRATION, threshold, why, 0.8, log_odds)


def run_gated(hub: Hub, name: str, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> HfUri:
    monkeypatch.setattr(filter, "open_gate", lambda hub, base, chosen: gate)
    return filter.run(hub, push(hub, name, [*FIRST, *WAITING]), BASE, recipe(judge="sense"))


def test_the_gate_lets_in_synthesised_rows_from_its_threshold_on(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    uri = run_gated(hub, "gated", gate_of(0.6, asked), monkeypatch)
    synthesised = {row["id"]: row for row in [*FIRST, *WAITING] if row["source"] == "synthesised"}
    bad = {row["id"] for row, _, _ in BAD}
    assert sorted(asked) == sorted(row["ad_copy"] for id_, row in synthesised.items() if id_ not in bad)
    found = parted(hub, uri)
    assert {row["id"] for row in found["default"]} == {row["id"] for row in GOOD}
    assert {row["ad_copy"]: row["scores"]["sense"] for row in found["default"]} == {
        row["ad_copy"]: pytest.approx(0.9) if row["source"] == "synthesised" else None for row in GOOD
    }
    assert {row["ad_copy"]: (row["reason"], row["evidence"], row["place"]) for row in found["candidates"]} == {
        OUTRANKED[0]["ad_copy"]: ("outranked", "place 2 of 2", 2),
        REPEATED["ad_copy"]: ("judge", "sense 0.200 < 0.600", 0),
        WAITING[0]["ad_copy"]: ("judge", "sense 0.200 < 0.600", 0),
        WAITING[1]["ad_copy"]: ("held_out", "split test", 0),
    }
    gate = {
        "judge": "a judge",
        "auc": [0.86, 0.8, 0.9],
        "reliable": True,
        "threshold": 0.6,
        "why": "9 of the 10 graded lines are usable",
        "precision": 0.8,
    }
    assert hub.manifest(uri)["counts"]["gate"] == report(hub, uri)["gate"] == gate
    assert hub.manifest(uri)["inputs"]["base"] == BASE.to_uri()
    assert report(hub, uri)["expected"]["candidates"] == {"rows": 4, "share": pytest.approx((0.9 + 3 * 0.2) / 4)}
    assert "AUC of 0.86 [0.80, 0.90]" in hub.text(uri, "README.md")


def test_a_gate_without_a_threshold_lets_none_in(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = run_gated(hub, "shut", gate_of(None, [], "the best has 0.41"), monkeypatch)
    found = parted(hub, uri)
    assert not [row for row in found["default"] if row["source"] == "synthesised"]
    waiting = [row for row in found["candidates"] if row["reason"] == "judge"]
    assert len(waiting) == 4
    assert {row["evidence"] for row in waiting} == {"no threshold of the judge reaches precision 0.8"}
    assert "preferences" not in configs(hub, uri)
    readme = hub.text(uri, "README.md")
    assert "No synthesised line came in: the best has 0.41." in readme and TEACHER in readme


def test_no_gate_is_opened_where_no_model_wrote(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> NoReturn:
        raise AssertionError("nobody asked for it")

    monkeypatch.setattr(filter, "open_gate", refuse)
    people = [row for row in FIRST if row["source"] != "synthesised"]
    uri = filter.run(hub, push(hub, "people-alone", [*people, BAD[0][0]]), BASE, recipe(judge="sense"))
    assert "gate" not in hub.manifest(uri)["counts"] and report(hub, uri)["gate"] is None


# A second version.

#: The first row is gone, so what repeated it stays; so is the outranked one, and one is new.
NEW = row("열차보다 느린 저녁", "원두", "느긋함")
SECOND = [*FIRST[1:7], *FIRST[8:], NEW]


@pytest.fixture(scope="module")
def second(hub: Hub, first: HfUri) -> HfUri:
    return release(hub, "filtered", SECOND, recipe("v0.2.0"))


def test_an_old_tag_loads_the_old_rows(hub: Hub, first: HfUri, second: HfUri, tmp_path: Path) -> None:
    for tag, uri in (("v0.1.0", first), ("v0.2.0", second), (None, second)):
        found = load_dataset(first.id, revision=tag, cache_dir=str(tmp_path / str(tag)))
        assert sorted(row["ad_copy"] for rows in found.values() for row in rows) == lines(hub, uri)
    assert lines(hub, first) == sorted(row["ad_copy"] for row in GOOD)
    assert lines(hub, second) == sorted(row["ad_copy"] for row in [*GOOD[1:], REPEATED, NEW])


def test_the_second_version_tells_what_changed(hub: Hub, first: HfUri, second: HfUri) -> None:
    changes = report(hub, second)["changes"]
    assert changes == {
        "since": "v0.1.0",
        "added": 2,
        "removed": 1,
        "kept": 6,
        "moved": {"near_duplicate → default": 1},
    }
    now, before = len(lines(hub, second)), len(lines(hub, first))
    assert (changes["kept"] + changes["added"], changes["kept"] + changes["removed"]) == (now, before)
    log = hub.text(second, "CHANGELOG.md")
    assert "- 8 rows in `default`: 2 added, 1 removed and 6 kept since v0.1.0." in log
    assert "- `near_duplicate → default`: 1" in log
    assert log.index("v0.2.0 -->") < log.index("v0.1.0 -->")
    readme = hub.text(second, "README.md")
    assert "Since v0.1.0, 2 rows came into `default`, 1 left it, and 6 stayed." in readme
    assert "| `near_duplicate → default` | 1 |" in readme


def test_the_card_of_the_second_version_names_no_config_that_has_no_rows(hub: Hub, second: HfUri) -> None:
    """Nothing is outranked any more, though the file of the first version is still there."""
    assert configs(hub, second) == {"default", "raw", "rejected", "preferences", "pairs"}
    assert hub.file(second, "candidates/train.parquet")


def test_a_version_is_compared_with_the_newest_before_it(hub: Hub, first: HfUri, second: HfUri) -> None:
    raw = push(hub, "filtered", FIRST)
    versions = {"v0.2.1": "v0.2.0", "v0.10.0": "v0.2.0", "v0.1.9": "v0.1.0"}
    for number, (version, since) in enumerate(versions.items(), 20):
        chosen = recipe(version, max_phrase_count=number)
        assert report(hub, run(hub, raw, chosen))["changes"]["since"] == since


def test_versions_are_ordered_as_numbers(hub: Hub) -> None:
    raw = push(hub, "many-versions", GOOD)
    for tag in ("v0.9.0", "v0.10.0", "v1.0.0", "v0.99", "latest"):
        hub.api.create_tag(raw.id, tag=tag, revision=raw.revision, repo_type="dataset")
    repo = hub.repo("dataset", "many-versions")
    assert hub.before(repo, "v0.11.0") == ("v0.10.0", raw)
    assert hub.before(repo, "v0.10.0") == ("v0.9.0", raw)
    assert hub.before(repo, "v0.9.0") is None


def test_a_version_that_is_tried_again_has_one_entry(hub: Hub) -> None:
    raw = push(hub, "tried-again", GOOD)
    run(hub, raw, recipe())
    uri = run(hub, raw, recipe(max_chars=15))
    log = hub.text(uri, "CHANGELOG.md")
    assert log.count("v0.1.0 -->") == 1 and f"- First version: {len(lines(hub, uri))} rows in `default`" in log
    assert len(lines(hub, uri)) < len(GOOD)
    assert report(hub, uri)["changes"] is None


def test_a_version_with_the_same_rows_is_the_same_commit(hub: Hub) -> None:
    """So that a new version of the Space alone trains no adapter anew."""
    raw = push(hub, "same-rows", GOOD)
    uri = run(hub, raw, recipe())
    hub.api.create_tag(uri.id, tag="v0.1.0", revision=uri.revision, repo_type="dataset")
    assert run(hub, raw, recipe("v0.2.0")) == uri


def test_a_tag_that_is_no_release_is_a_sentence(hub: Hub) -> None:
    raw = push(hub, "no-release", GOOD)
    hub.api.create_tag(raw.id, tag="v0.1.0", revision=raw.revision, repo_type="dataset")
    hub.api.create_tag(raw.id, tag="v0.1", revision=raw.revision, repo_type="dataset")
    with pytest.raises(HanjulError, match="This is no release of a dataset") as caught:
        run(hub, raw, recipe("v0.2.0"))
    assert caught.value.where == raw.to_uri()
    assert report(hub, run(hub, raw, recipe("v0.1.0")))["changes"] is None


@pytest.mark.parametrize("previous", ["append", "replace"])
def test_what_stays_of_the_versions_before(hub: Hub, previous: str) -> None:
    name, batches = f"growing-{previous}", [FIRST, [NEW, GOOD[0]], [imported("이불 밖으로 한 발 내딛는 봄", "책장")]]
    seen: dict[str, Row] = {}
    for number, rows in enumerate(batches, 1):
        uri = release(hub, name, rows, recipe(f"v0.{number}.0", previous=previous))
        seen = seen | {row["id"]: row for row in rows} if previous == "append" else {row["id"]: row for row in rows}
        found = parted(hub, uri)
        assert Counter(row["id"] for rows in found.values() for row in rows) == Counter(seen.keys())
        assert hub.manifest(uri)["counts"]["in"] == len(seen)
        facts = report(hub, uri)
        assert facts["rows"]["after"] == len(found["default"])
        if changes := facts["changes"]:
            assert changes["since"] == f"v0.{number - 1}.0"
            assert changes["kept"] + changes["added"] == len(found["default"])
        for row in (row for rows in found.values() for row in rows):
            assert {column: row[column] for column in RAW} == seen[row["id"]]
    expected = [*GOOD, NEW, *batches[2]] if previous == "append" else batches[2]
    assert lines(hub, uri) == sorted(row["ad_copy"] for row in expected)
    assert facts["changes"] == {
        "since": "v0.2.0",
        "added": 1,
        "removed": 0 if previous == "append" else 2,
        "kept": 8 if previous == "append" else 0,
        "moved": {},
    }
    raw = hub.resolve(hub.manifest(uri)["inputs"]["raw"])
    assert run(hub, raw, recipe("v0.3.0", previous=previous)) == uri


def test_rows_that_come_again_untidied_are_not_appended(hub: Hub) -> None:
    release(hub, "untidied", [row("부엌이 먼저 깬다")], recipe())
    again = row("부엌이 먼저 깬다") | {"ad_copy": '카피: "부엌이  먼저 깬다"', "id": "f" * 16}
    uri = release(hub, "untidied", [again], recipe("v0.2.0", previous="append"))
    assert hub.manifest(uri)["counts"]["in"] == 1
    (kept,) = hub.rows(uri, "default")
    assert (kept["id"], kept["ad_copy"]) == (GOOD[4]["id"], "부엌이 먼저 깬다")
    assert report(hub, uri)["changes"] == {"since": "v0.1.0", "added": 0, "removed": 0, "kept": 1, "moved": {}}


# Lines to compare with.


def jsonl(path: Path, *texts: str) -> str:
    path.write_text("\n".join(json.dumps({"카피": text}) for text in texts))
    return str(path)


def test_slogans_and_an_evaluation_of_ones_own(hub: Hub, tmp_path: Path) -> None:
    raw = push(hub, "compared", GOOD)
    slogans = jsonl(tmp_path / "slogans.jsonl", "월요일도 반쯤은 금요일 같은")
    evaluation = jsonl(tmp_path / "eval.jsonl", "처마를 들고 걷는 사람", "부엌이 먼저 깬다네")
    chosen = recipe(slogans=slogans, eval_lines=evaluation)
    uri = run(hub, raw, chosen)
    assert reasons(hub, uri) == {
        "월요일도 반쯤은 금요일": "slogan",
        "처마를 들고 걷는 사람": "contaminated",
        "부엌이 먼저 깬다": "contaminated",
    }
    found = {row["ad_copy"]: row["evidence"] for row in parted(hub, uri)["rejected"]}
    assert found["처마를 들고 걷는 사람"] == "1.00 like 처마를 들고 걷는 사람"
    assert set(hub.manifest(uri)["inputs"]) == {"raw", "slogans of Hanjul", "rules of Hanjul", "slogans", "eval_lines"}
    assert str(tmp_path) not in json.dumps(hub.manifest(uri))
    assert run(hub, raw, chosen) == run(hub, raw, recipe(slogans=slogans, eval_lines=evaluation, engine="ray")) == uri
    jsonl(tmp_path / "eval.jsonl", "아무도 쓰지 않은 줄 하나")
    again = run(hub, raw, chosen)
    assert again != uri
    assert reasons(hub, again) == {"월요일도 반쯤은 금요일": "slogan"}


def test_no_line_of_an_evaluation_is_trained_on_as_the_worse_one(hub: Hub, tmp_path: Path) -> None:
    leaking, _, _ = BAD[0]
    chosen = recipe(eval_lines=jsonl(tmp_path / "eval.jsonl", leaking["ad_copy"]))
    uri = run(hub, push(hub, "compared-preferences", [*GOOD, leaking, BAD[3][0]]), chosen)
    assert leaking["ad_copy"] not in [pair[0]["content"] for pair in hub.rows(uri, "preferences")["rejected"]]


def test_an_evaluation_on_the_hub(hub: Hub) -> None:
    from datasets import Dataset

    Dataset.from_list([{"ad_copy": "부엌이 먼저 깬다"}]).push_to_hub("local/their-eval")
    raw = push(hub, "compared-hub", GOOD)
    chosen = recipe(eval_lines="hf://datasets/local/their-eval")
    uri = run(hub, raw, chosen)
    assert reasons(hub, uri) == {"부엌이 먼저 깬다": "contaminated"}
    assert hub.manifest(uri)["inputs"]["eval_lines"] == hub.resolve("hf://datasets/local/their-eval").to_uri()
    Dataset.from_list([{"ad_copy": "아무도 쓰지 않은 줄 하나"}]).push_to_hub("local/their-eval")
    assert run(hub, raw, chosen) != uri


def test_an_encoder_is_pinned(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(semantic, "similar_pairs", lambda rows, chosen: [])
    hub.api.create_repo("local/moving-encoder", exist_ok=True)
    raw = push(hub, "meaning", GOOD)
    uri = run(hub, raw, recipe(semantic={"model": "local/moving-encoder"}))
    assert str(hub.api.model_info("local/moving-encoder").sha) in json.dumps(hub.manifest(uri)["inputs"])


# What a person wrote.


def test_a_persons_readme_survives_two_versions(hub: Hub, tmp_path: Path) -> None:
    repo = hub.repo("dataset", "edited")
    hub.api.create_repo(repo.id, repo_type="dataset")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "mine.parquet")
    mine = CommitOperationAdd("mine.parquet", tmp_path / "mine.parquet")
    operations = [CommitOperationAdd("README.md", PERSON.encode()), mine]
    hub.api.create_commit(repo.id, operations, repo_type="dataset", commit_message="by hand")
    uri = release(hub, "edited", FIRST, recipe())
    readme = hub.text(uri, "README.md").replace(END, f"{END}\n\n끝에 쓴 글 {BEGIN[5:-4]}")
    changelog = hub.text(uri, "CHANGELOG.md") + "\n사람이 쓴 변경 기록\n"
    edits = [
        CommitOperationAdd(path, text.encode()) for path, text in (("README.md", readme), ("CHANGELOG.md", changelog))
    ]
    hub.api.create_commit(repo.id, edits, repo_type="dataset", commit_message="by hand again")
    uri = release(hub, "edited", SECOND, recipe("v0.2.0"))
    readme = hub.text(uri, "README.md")
    assert readme.count("# 손으로 쓴 머리말\n\n사람이 쓴 글 | 그대로.\n") == 1
    assert "끝에 쓴 글" in readme.split(END)[1]
    assert readme.count(BEGIN) == readme.count(END) == 1
    assert "annotator: 한글 사람\n" in readme and "- my-tag\n" in readme and "license: cc-by-4.0" not in readme
    assert hub.text(uri, "CHANGELOG.md").endswith("\n사람이 쓴 변경 기록\n")
    assert load_dataset(repo.id, "mine", split="train", cache_dir=str(tmp_path)).to_list() == [{"a": 1}]
    assert configs(hub, uri) == {"default", "raw", "rejected", "preferences", "pairs", "mine"}


# What raw rows are like.


def test_one_row(hub: Hub, tmp_path: Path) -> None:
    uri = run(hub, push(hub, "one-row", GOOD[:1], pairs=False), recipe())
    assert configs(hub, uri) == {"default", "raw"}
    found = load_dataset(uri.id, cache_dir=str(tmp_path))
    assert {split: rows["ad_copy"][:] for split, rows in found.items()} == {"train": [GOOD[0]["ad_copy"]]}
    assert report(hub, uri)["rows"] == {"before": 1, "after": 1, "preferences": 0}


@pytest.mark.parametrize("product", [VALIDATION, TEST])
def test_one_product_that_is_not_of_the_train_split(hub: Hub, tmp_path: Path, product: str) -> None:
    split = split_of(product)
    flat = written("창밖에는 눈이 내려요", product, merit="flat")
    rows = [flat, *(row for row in FIRST if row["product"] == product)]
    uri = run(hub, push(hub, f"only-{split}", rows), recipe())
    for config, count in (("default", 2), ("preferences", 1)):
        found = load_dataset(uri.id, config, cache_dir=str(tmp_path))
        assert {name: len(rows) for name, rows in found.items()} == {split: count}
    assert report(hub, uri)["splits"]["train"] == {"rows": 0, "products": 0}


def test_a_split_that_becomes_empty_is_not_loaded_any_more(hub: Hub, tmp_path: Path) -> None:
    release(hub, "emptied", GOOD, recipe())
    uri = release(hub, "emptied", [row for row in GOOD if row["product"] == TEST], recipe("v0.2.0"))
    assert set(load_dataset(uri.id, cache_dir=str(tmp_path))) == {"test"}
    assert report(hub, uri)["changes"] == {"since": "v0.1.0", "added": 0, "removed": 5, "kept": 2, "moved": {}}


def test_no_row_that_passes_is_a_sentence_and_no_commit(hub: Hub) -> None:
    raw = push(hub, "hopeless", [bad for bad, _, _ in BAD])
    for _ in range(2):
        with pytest.raises(HanjulError, match="No row passed the filters"):
            run(hub, raw, recipe())
    assert hub.head(raw) == raw.revision


def test_the_same_row_in_two_sources_is_kept_once(hub: Hub) -> None:
    twice = [written("부엌이 먼저 깬다"), imported("부엌이 먼저 깬다"), row("부엌이 먼저 깬다"), NEW]
    uri = run(hub, push(hub, "twice", twice), recipe())
    found = parted(hub, uri)
    assert [(row["source"], row["ad_copy"]) for row in found["default"] if row["product"] == TRAIN] == [
        ("written", "부엌이 먼저 깬다")
    ]
    same = twice[0]["id"]
    assert [(row["source"], row["evidence"], row["group_id"]) for row in found["rejected"]] == [
        ("imported", f"same as {same}", same),
        ("synthesised", f"same as {same}", same),
    ]
    assert report(hub, uri)["rows"] == {"before": 4, "after": 2, "preferences": 0}


def test_the_numbers_add_up_where_a_row_comes_twice(hub: Hub) -> None:
    twice = [written("부엌이 먼저 깬다"), imported("부엌이 먼저 깬다"), NEW]
    release(hub, "twice-counted", twice, recipe())
    uri = release(hub, "twice-counted", [*twice, GOOD[5]], recipe("v0.2.0"))
    assert report(hub, uri)["changes"] == {"since": "v0.1.0", "added": 1, "removed": 0, "kept": 2, "moved": {}}


def test_a_line_that_a_teacher_wrote_twice_makes_one_pair(hub: Hub) -> None:
    uri = run(hub, push(hub, "twice-leaking", [GOOD[4], BAD[0][0], BAD[0][0]]), recipe())
    ids = hub.rows(uri, "preferences")["id"][:]
    assert len(ids) == len(set(ids))


def test_ids_of_raw_that_are_all_the_same_lose_no_row(hub: Hub) -> None:
    rows = [row | {"id": "same"} for row in FIRST]
    uri = run(hub, push(hub, "same-ids", rows), recipe())
    found = parted(hub, uri)
    assert Counter(row["ad_copy"] for rows in found.values() for row in rows) == Counter(
        row["ad_copy"] for row in FIRST
    )


def test_ids_are_those_of_the_content_whatever_raw_says(hub: Hub) -> None:
    rows = [row | {"id": f"{number}"} for number, row in enumerate(GOOD)]
    uri = run(hub, push(hub, "other-ids", rows), recipe())
    assert {row["id"] for row in hub.rows(uri, "default")} == {row["id"] for row in GOOD}


def test_rows_that_are_not_tidy(hub: Hub) -> None:
    wrapped = ['"부엌이 먼저 깬다"', "카피: 열차보다 느린 저녁", "  골목이   늦잠을 자는 동안\n"]
    rows = [imported("x", f"물건 {number}") | {"ad_copy": line} for number, line in enumerate(wrapped)]
    uri = run(hub, push(hub, "not-tidy", rows), recipe())
    expected = ["골목이 늦잠을 자는 동안", "부엌이 먼저 깬다", "열차보다 느린 저녁"]
    assert lines(hub, uri) == expected
    for kept in hub.rows(uri, "default"):
        assert kept["id"] == imported(kept["ad_copy"], kept["product"])["id"] == kept["group_id"]


def test_raw_that_somebody_else_wrote(hub: Hub) -> None:
    """Another order of the columns, one more of them, large strings, a dictionary, small row groups."""
    uri = push(hub, "others-columns", GOOD[:4])
    rows = [row | {"note": number} for number, row in enumerate(FIRST[4:])]
    names = sorted(rows[0], reverse=True)
    table = pa.Table.from_pylist(rows).select(names)
    large = pa.schema(
        [
            (name, pa.large_string() if name in ("ad_copy", "product") else table.schema.field(name).type)
            for name in names
        ]
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "synthesised.parquet"
        pq.write_table(
            table.select([name for name in names if name != "note"]).cast(
                pa.schema([field for field in large if field.name != "note"])
            ),
            path,
            row_group_size=2,
        )
        commit = hub.api.upload_file(
            repo_id=uri.id, repo_type="dataset", path_or_fileobj=path, path_in_repo="raw/synthesised.parquet"
        )
    raw = HfUri(type="dataset", id=uri.id, revision=commit.oid)
    found = parted(hub, run(hub, raw, recipe()))
    assert Counter(row["id"] for rows in found.values() for row in rows) == Counter(row["id"] for row in FIRST)


HOSTILE = [
    f"{BEGIN} 커피",
    f"커피 {END}",
    "커피 | 표 | 칸",
    "---\nlicense: none\n---",
    "# 커피",
    "[커피](javascript:alert(1))",
    "<script>alert(1)</script>",
    "{{ product }} {% raw %}",
    "`커피` $x_1$ \\newcommand",
    "=1+1",
    "../../etc/passwd",
]
QUIET = [
    "부엌이 먼저 깬다",
    "열차보다 느린 저녁",
    "골목이 늦잠을 자는 동안",
    "빨랫줄이 은퇴한 베란다",
    "처마를 들고 걷는 사람",
    "월요일도 반쯤은 금요일",
    "빗소리가 먼저 인사하는 길",
    "셔츠보다 먼저 마르는 한숨",
    "가스레인지 위에서 로마가 말을 건다",
    "이불 밖으로 한 발 내딛는 봄",
    "달력에 없는 휴일 하나",
]


@pytest.mark.parametrize("seed", [1, 2])
def test_hostile_products_break_no_card(hub: Hub, tmp_path: Path, seed: int) -> None:
    rows = [imported(line, product, category=product) for line, product in zip(QUIET, HOSTILE, strict=True)]
    name = f"hostile-{seed}"
    for version in ("v0.1.0", "v0.2.0"):
        chosen = recipe(version, max_chars=60 + int(version[3])).model_copy(update={"seed": seed})
        uri = run(hub, push(hub, name, rows), chosen)
        hub.api.create_tag(uri.id, tag=version, revision=uri.revision, repo_type="dataset")
        readme = hub.text(uri, "README.md")
        assert readme.count(BEGIN) == readme.count(END) == 1
        assert "<script>" not in readme
        assert report(hub, uri)["rows"]["after"] == len(lines(hub, uri)) >= 9
    assert report(hub, uri)["changes"]["added"] == report(hub, uri)["changes"]["removed"] == 0
    assert set(load_dataset(uri.id, cache_dir=str(tmp_path))) <= {"train", "validation", "test"}


def test_synthesised_rows_without_pairs_leave_every_named_config_loadable(hub: Hub, tmp_path: Path) -> None:
    uri = run(hub, push(hub, "no-pairs", GOOD, pairs=False), recipe())
    for config in sorted(configs(hub, uri)):
        assert load_dataset(uri.id, config, cache_dir=str(tmp_path))


def test_rules_that_the_recipe_loosens_let_rows_in(hub: Hub) -> None:
    raw = push(hub, "loosened", [*GOOD, BAD[-1][0]])
    assert reasons(hub, run(hub, raw, recipe())) == {"불빛": "length"}
    assert configs(hub, run(hub, raw, recipe(min_chars=2))) >= {"default"}
    assert "불빛" in lines(hub, run(hub, raw, recipe(min_chars=2)))


def test_a_work_folder_left_by_a_refused_commit_is_taken_up(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = push(hub, "refused", GOOD)

    def refuse(*_: Any, **__: Any) -> NoReturn:
        request = httpx2.Request("POST", "http://127.0.0.1/api/datasets/local/refused/commit/main")
        raise BadRequestError("the card is refused", response=httpx2.Response(400, request=request))

    with monkeypatch.context() as patch:
        patch.setattr(type(hub.api), "create_commit", refuse)
        with pytest.raises(HanjulError, match="commit of stage filter was refused: the card is refused"):
            run(hub, raw, recipe())
    monkeypatch.setattr(filter, "partition_by_rules", refuse)
    uri = run(hub, raw, recipe())
    assert lines(hub, uri) == sorted(row["ad_copy"] for row in GOOD)


def test_what_visitors_prefer_stands_against_what_we_would(hub: Hub, tmp_path: Path) -> None:
    good, flat = written("부엌이 먼저 깬다", merit="good"), written("물을 끓여 커피를 내려요", merit="flat")
    rejected = [flat | {"scores": None, "reason": "outranked", "evidence": "", "group_id": ""}]
    kept = [good | {"scores": None, "group_id": good["id"]}]
    (ours,) = preferences_of(kept, rejected, 0.1)
    turned = {"chosen": ours["rejected"], "rejected": ours["chosen"], "reason": "disliked"}
    theirs = ours | turned | {"chosen_id": ours["rejected_id"], "rejected_id": ours["chosen_id"]}
    filter.write_configs(kept, rejected, 0.1, tmp_path, [theirs])
    assert pq.read_table(tmp_path / "preferences" / "train.parquet").to_pylist() == [theirs]

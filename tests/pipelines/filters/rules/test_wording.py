from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.corpus import load_corpus
from pipelines.filters import wording as shared
from pipelines.filters.limits import Limits
from pipelines.filters.rules import claim
from pipelines.filters.rules.claims import wording
from pipelines.filters.rules.cliches import wording as cliches
from pipelines.filters.wording import Wording, ordinary_rows

SMALL = Wording(-1.0, {"낫습": 2.0, "습니다": -0.5, "\t병원": 0.5})


def check(product: str, line: str, category: str = "") -> str | None:
    return claim.check({"product": product, "category": category, "values": [], "ad_copy": line}, Limits())


def test_each_run_of_letters_adds_its_log_odds_once() -> None:
    assert SMALL.log_odds("낫습니다", "의료 병원") == pytest.approx(-1.0 + 2.0 - 0.5 + 0.5)
    assert SMALL.log_odds("낫습 낫습", "의료") == pytest.approx(1.0)
    assert SMALL.log_odds("병원", "의료") == -1.0  # of a product, not of a line


def test_the_strongest_word_is_the_one_that_adds_most() -> None:
    assert SMALL.strongest("무릎이 낫습 갑니다") == "낫습"
    assert SMALL.strongest(" \u3000") == ""


@pytest.mark.parametrize(
    ("path", "label", "columns"),
    [(wording.LINES, "restricted", ("product", "line")), (cliches.LINES, "worn", ("line",))],
    ids=["claims", "cliches"],
)
def test_labelled_lines_are_of_both_kinds_and_none_stands_twice(
    path: Path, label: str, columns: tuple[str, ...]
) -> None:
    lines = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
    assert 0.4 <= sum(line[label] for line in lines) / len(lines) <= 0.6
    assert len({tuple(line[column].strip(cliches.MARKS) for column in columns) for line in lines}) == len(lines)


def test_an_edit_of_the_corpus_changes_no_other_ordinary_row(monkeypatch: pytest.MonkeyPatch) -> None:
    merits = frozenset({"flat"})
    before = ordinary_rows(merits, 50)
    rest = [row for row in load_corpus() if row["ad_copy"] != before[7]["ad_copy"]]
    monkeypatch.setattr(shared, "load_corpus", lambda: rest[::-1])
    after = ordinary_rows.__wrapped__(merits, 50)
    assert after[:49] == before[:7] + before[8:]
    assert {row["merit"] for row in before} == {"flat"}


def test_the_product_decides() -> None:
    model = wording.wording()
    line = "등이 곧게 펴져요"
    assert model.log_odds(line, "의료 정형외과 도수치료") > model.log_odds(line, "의류 린넨 셔츠")


def test_what_no_pattern_foresaw_is_found_with_the_word_that_says_so() -> None:
    found = next(
        row
        for row in (json.loads(text) for text in wording.LINES.read_text(encoding="utf-8").splitlines())
        if row["restricted"] and not claim.claimed(row["line"], f"{row['category']} {row['product']}")
    )
    evidence = check(found["product"], found["line"], found["category"])
    assert evidence is not None
    name, word = evidence.split(": ")
    assert name == "말씨" and word in found["line"].split()


def test_a_line_that_a_pattern_finds_and_the_wording_clears_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim, "claimed", lambda line, goods: "약속: 보장")
    monkeypatch.setattr(claim, "wording", lambda: Wording(-9.0, {}))
    assert check("적금", "다 같이 모아요") is None
    monkeypatch.setattr(claim, "wording", lambda: Wording(claim.LEAST - claim.PATTERN + 0.01, {}))
    assert check("적금", "다 같이 모아요") == "약속: 보장"


def test_a_public_campaign_may_name_what_it_warns_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim, "wording", lambda: Wording(9.0, {}))
    assert check("금연 캠페인", "한 대로도 폐가 상합니다") is None


def test_a_kept_model_is_the_same_to_the_last_digit(tmp_path: Path) -> None:
    shared.write_wording(Wording(-0.1, {"낫습": 1 / 3, "\t병원": 1e-17}), tmp_path / "wording.json.gz")
    assert shared.read_wording(tmp_path / "wording.json.gz") == Wording(-0.1, {"낫습": 1 / 3, "\t병원": 1e-17})

"""`--dry-run`: who would be asked, how often, for how much, and what is missing; nobody is asked."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
from huggingface_hub import HfUri
from typer.testing import CliRunner

from pipelines.metrics import METRICS
from pipelines.rows import make_row
from scripts import cli, dry_run, recipes
from scripts.core.asked import Judged
from scripts.core.settings import PairsSettings, Recipe
from scripts.judging.calibration_data import calibration_data
from scripts.judging.judge_estimate import of_judge
from scripts.stages import evaluate
from tests.pipelines.endpoint.teacher_server import serve

pytestmark = pytest.mark.field

VALUES = ["조용한", "빠른", "든든한", "가벼운", "따뜻함"]
ROWS: list[Any] = [make_row(f"상품 {n}", [VALUES[n % 5]], f"물방울이 웃는 {n}번째 밤") for n in range(700)]
JUDGE = {"base_url": "https://judge.example/v1", "model": "j", "price": {"input": 2, "output": 10}}
DATASET = HfUri(type="dataset", id="us/copy", revision="d" * 40)


class Rows:
    """A Hub with rows and nothing else."""

    is_local = True

    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def rows(self, uri: HfUri, config: str) -> list[Any]:
        return self._rows


def recipe(rows: int = 64, pairs: int = 24, **judge: Any) -> Recipe:
    asked = {"judge": JUDGE | judge, "calibration_rows": rows, "pairs": pairs}
    return Recipe.model_validate({"evaluate": asked, "synthesize": None})


def calibration(rows: list[Any], chosen: Recipe) -> dict[str, str]:
    return table(dry_run.of_calibration(Rows(rows), DATASET, chosen))  # type: ignore[arg-type]


def table(text: str) -> dict[str, str]:
    """The last block of a dry run: name -> what stands beside it."""
    found: dict[str, str] = {}
    for line in text.split("\n\n")[-1].splitlines():
        name, rest = line[:10].strip(), line[10:]
        found[name or list(found)[-1]] = rest if name else found[list(found)[-1]] + "\n" + rest
    return found


def numbers(text: str) -> list[int]:
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\b(?!\.)", text)]


@pytest.mark.parametrize(("rows", "least", "most"), [(4, 250, 450), (8, 500, 800), (64, 3000, 3600)])
def test_what_a_judge_is_asked_falls_with_the_rows(rows: int, least: int, most: int) -> None:
    said = calibration(ROWS, recipe(rows))
    requests, _, at_most = numbers(said["requests"])
    assert least < requests < most and 5 * requests < at_most < 6 * requests
    assert f"({rows} held-out rows" in said["for"]
    assert ("only a judge that hardly errs counts as reliable" in said["for"]) is (rows < 20)
    assert said["judge"] == "j at https://judge.example/v1"
    assert said["missing"].startswith(
        "The judge's key is not named (evaluate.judge.api_key_env) → name the environment"
    )


def test_all_comparisons_are_counted_that_will_be_asked_for() -> None:
    chosen = recipe(duels=50)
    data = calibration_data(ROWS, "rows", chosen.evaluate, chosen.seed)
    alone = of_judge(chosen, data, Judged(), local_hub=True)
    two = of_judge(chosen, data, Judged(2, 24), local_hub=True)
    many = of_judge(chosen, data, Judged(5, 24), local_hub=True)
    voted = of_judge(chosen, data, Judged(scored=6, compared=3), local_hub=True)
    assert two.requests - alone.requests == 2 * 24 * len(METRICS) + 2 * 24
    assert many.requests - alone.requests == 5 * 24 * len(METRICS) + 2 * 50  # of 240 pairs of lines
    assert voted.requests - alone.requests == 6 * len(METRICS) + 2 * 3
    assert alone.price and alone.missing and alone.limits == {}


def test_the_cost_is_at_most_that_of_the_longest_answers() -> None:
    said = calibration(ROWS, recipe(8, budget={"max_usd": 5}))
    tokens_in, tokens_out, most_in, most_out = numbers(said["tokens"])
    least, most = (float(usd) for usd in re.findall(r"(\d+\.\d\d)", said["cost"]))
    assert least == pytest.approx((2 * tokens_in + 10 * tokens_out) / 1e6, abs=0.01)
    assert most == pytest.approx((2 * most_in + 10 * most_out) / 1e6, abs=0.01) and most > 5 * least
    assert said["limits"] == "max_usd 5.0"


def test_all_that_is_missing_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said = calibration(ROWS, recipe(price=None, api_key_env="NOT_THERE", budget={"max_usd": 5}))
    assert said["cost"] == "unknown; give `evaluate.judge.price`"
    key, price = said["missing"].splitlines()
    assert key == "The judge's key is not in the environment (NOT_THERE) → run `export NOT_THERE=…`"
    assert price.startswith("No price is known for j, and max_usd limits the cost (evaluate.judge.price)")
    monkeypatch.setenv("NOT_THERE", "sk-very-secret")
    text = dry_run.of_calibration(Rows(ROWS), DATASET, recipe(api_key_env="NOT_THERE"))  # type: ignore[arg-type]
    assert table(text)["missing"] == "nothing" and "secret" not in text


def test_too_few_rows_are_missing_beside_the_key() -> None:
    rows, key = calibration(ROWS[:9], recipe())["missing"].splitlines()
    assert "9 rows in the train split: a judge is shown 12" in rows and "The judge's key is not named" in key


def test_without_an_endpoint_nobody_is_asked() -> None:
    chosen = Recipe.model_validate({"synthesize": None})
    assert dry_run.of_calibration(Rows(ROWS), DATASET, chosen) == dry_run.NOBODY  # type: ignore[arg-type]
    assert dry_run.of_pairs(PairsSettings(), local_hub=True) == dry_run.NOBODY
    assert dry_run.of_release(recipes.load("imported"), local_hub=True) == dry_run.NOBODY


def test_systems_and_pairs_of_an_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    group = evaluate.Group((DATASET,), DATASET, (DATASET,), (None,), None, DATASET, None)
    monkeypatch.setattr(evaluate.Group, "of", lambda *_: group)
    monkeypatch.setattr("scripts.models.models.is_encoder_decoder", lambda base: False)
    asked = {"teacher": {"base_url": "https://api.openai.com/v1", "model": "gpt-4o-mini"}}
    chosen = recipe(8, pairs=200).model_copy(
        update={"synthesize": Recipe.model_validate({"synthesize": asked}).synthesize}
    )
    teacher, judge, pairs = dry_run.of_evaluation(Rows(ROWS), [DATASET], DATASET, chosen).split("\n\n")  # type: ignore[arg-type]
    assert table(teacher)["requests"] == "200, retries not counted"
    assert table(teacher)["missing"].startswith("The teacher's key is not in the environment (OPENAI_API_KEY)")
    assert "then 200 lines of each of 3 systems" in table(judge)["for"]
    assert "200 pairs asked for, the test split has" in table(pairs)["missing"]


@pytest.mark.parametrize(
    ("teacher", "missing"),
    [
        ({}, "Proposals need a teacher at an endpoint (pairs.propose.teacher)"),
        ({"base_url": "https://x.example/v1"}, "The model is not named (pairs.propose.teacher.model)"),
        (
            {"base_url": "https://x.example/v1", "model": "m", "api_key_env": "NOT_THERE"},
            "The teacher's key is not in the environment (NOT_THERE)",
        ),
    ],
)
def test_what_proposals_lack(teacher: dict[str, Any], missing: str) -> None:
    settings = PairsSettings.model_validate({"propose": {"teacher": teacher}})
    said = table(dry_run.of_pairs(settings, local_hub=True))
    assert said["missing"].startswith(missing) and numbers(said["requests"])[0] > 100


def test_the_commands_send_nothing_and_end_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    said: list[str] = []
    monkeypatch.setattr(cli, "out", said.append)
    with serve(lambda body, number: "줄") as endpoint:
        for command, place in (("release", "synthesize.teacher"), ("pairs", "pairs.propose.teacher")):
            changes = [f"{place}.base_url={endpoint.url}", f"{place}.model=m"]
            arguments = [command, "--dry-run", *(part for change in changes for part in ("--set", change))]
            result = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
            assert result.exit_code == 0, result.output
        assert not endpoint.log.headers
    assert all(f"m at {endpoint.url}" in text and table(text)["missing"] == "nothing" for text in said)
    assert len(said) == 2


def test_dry_run_of_the_readme_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    writing = dry_run.of_release(recipes.load("endpoint"), local_hub=True).split("\n\n")[0]
    assert table(writing)["missing"].endswith("(OPENAI_API_KEY) → run `export OPENAI_API_KEY=…`")
    assert "; " in table(writing)["tokens"] and table(writing)["tokens"].endswith("out at most")


@pytest.mark.parametrize(
    ("start", "teacher", "systems"), [(None, None, 2), ("hf://models/us/sft", None, 3), (None, "t", 3)]
)
def test_a_release_counts_its_systems_as_the_evaluation_does(
    monkeypatch: pytest.MonkeyPatch, start: str | None, teacher: str | None, systems: int
) -> None:
    monkeypatch.setattr(dry_run, "load_corpus", lambda: ROWS)
    train = {"method": "dpo", "start": start} if start else {}
    written = {"teacher": {"base_url": "https://t.example/v1", "model": teacher}} if teacher else None
    chosen = Recipe.model_validate({"train": train, "evaluate": {"judge": JUDGE}, "synthesize": written})
    judge = dry_run.of_release(chosen, local_hub=True).split("\n\n")[-1]
    assert f"then {chosen.evaluate.pairs * chosen.evaluate.candidates} lines of each of {systems} systems" in judge


WITHOUT_DEEPEVAL = """
import sys


class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name == "deepeval":
            raise ModuleNotFoundError("No module named 'deepeval'", name=name)


sys.meta_path.insert(0, Nowhere())
from scripts import dry_run, recipes
from scripts.core import faults
from scripts.stages import calibrate, evaluate, release

print(dry_run.of_release(recipes.load("imported"), local_hub=True))
for run, given in ((evaluate.run, (None, [], None)), (release.run, (None,))):
    try:
        run(*given, recipes.load("imported"))
    except ModuleNotFoundError as error:  # before anything else
        print(error.name)
named = {"evaluate.judge.base_url": "https://j.example/v1", "evaluate.judge.model": "j"}
with faults.explained():
    dry_run.of_release(recipes.load("imported", named), local_hub=True)
"""


def test_deepeval_is_needed_where_a_judge_is_named_alone() -> None:
    ran = subprocess.run([sys.executable, "-c", WITHOUT_DEEPEVAL], capture_output=True, text=True, timeout=120)
    assert ran.stdout.splitlines() == [dry_run.NOBODY, "deepeval", "deepeval"], ran.stderr
    assert "The judges need deepeval (not installed)" in ran.stderr.splitlines()[-1]

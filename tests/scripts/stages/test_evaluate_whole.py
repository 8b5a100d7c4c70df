"""A judge of one's own, and several adapters judged together, on tiny models of the local Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset
from huggingface_hub import CommitOperationAdd, HfUri

from model_card.cards.views import has_pairwise, has_scores
from model_card.comparison.report import Report
from pipelines.errors import HanjulError, LimitReachedError
from pipelines.likelihood.prompts import training_texts
from pipelines.metrics import METRICS
from pipelines.rows import make_row, split_of, trl_columns
from scripts.comparison import system_lines
from scripts.comparison.eval_prompts import EvalPrompts
from scripts.core.settings import EvaluateSettings, Recipe, SynthesizeSettings, TrainSettings
from scripts.hub.hub import Hub
from scripts.judging import score_cache
from scripts.judging.calibration_data import CalibrationData
from scripts.stages import evaluate, train
from tests.pipelines.endpoint.teacher_server import KEY, MODEL, Raw, serve
from tests.pipelines.endpoint.teacher_server import completion as completion_of
from tests.tiny import architectures, language_model

TRAIN = TrainSettings(batch_size=4, max_steps=2, learning_rate=1e-2)
RECIPE = Recipe(
    evaluate=EvaluateSettings(pairs=3, calibration_rows=24, bootstrap=100, max_new_tokens=4), synthesize=None, seed=1
)
ROWS = [
    make_row(
        f"향초 {i}",
        [language_model.VALUES[i % 4]],
        f"{language_model.LINES[i % 4]} {i}",
        source="synthesised" if i % 5 == 0 else "written",
    )
    for i in range(200)
]


@pytest.fixture(scope="module")
def base(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> HfUri:
    folder = tmp_path_factory.mktemp("base")
    architectures.save_base("gemma3", folder)
    repo = hub.repo("model", "tiny-judged-base")
    hub.api.create_repo(repo.id)
    hub.api.upload_folder(repo_id=repo.id, folder_path=folder)
    return hub.resolve(repo)


@pytest.fixture(scope="module")
def dataset(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> HfUri:
    folder = tmp_path_factory.mktemp("rows")
    for split in ("train", "validation", "test"):
        rows = [{**row, **trl_columns(row)} for row in ROWS if split_of(row["product"]) == split]
        Dataset.from_list(rows).to_parquet(folder / f"{split}.parquet")
    repo = hub.repo("dataset", "tiny-to-judge")
    hub.api.create_repo(repo.id, repo_type="dataset")
    hub.api.upload_folder(repo_id=repo.id, folder_path=folder, repo_type="dataset")
    return hub.resolve(repo)


@pytest.fixture(scope="module")
def adapters(hub: Hub, base: HfUri, dataset: HfUri) -> list[HfUri]:
    named = [TRAIN.model_copy(update={"repo": f"tiny-rival-{n}-lora"}) for n in (1, 2)]
    return [train.run(hub, dataset, base, settings, seed) for seed, settings in enumerate(named)]


@pytest.fixture(scope="module")
def judge(hub: Hub, base: HfUri, dataset: HfUri) -> HfUri:
    return train.run(hub, dataset, base, TRAIN.model_copy(update={"repo": "tiny-judge-lora", "method": "judge"}), 1)


def report_of(hub: Hub, uri: HfUri) -> Report:
    return Report.from_json(hub.text(uri, "evaluation/report.json"))


def test_a_judge_learns_each_row_of_people_both_ways(hub: Hub, judge: HfUri) -> None:
    people = [row for row in ROWS if row["source"] == "written"]
    counts = hub.manifest(judge)["counts"]
    assert counts["in"] == 2 * sum(split_of(row["product"]) == "train" for row in people)
    assert counts["validation"] == 2 * sum(split_of(row["product"]) == "validation" for row in people)
    assert hub.manifest(judge)["recipe"]["method"] == "judge"
    assert "채점 모델로" in hub.text(judge, "README.md")


def test_a_judges_rows_are_texts_between_the_tokenizers_marks(base: HfUri) -> None:
    from transformers import AutoTokenizer

    from scripts.training.encoding import encode

    tokenizer = AutoTokenizer.from_pretrained(base.id, revision=base.revision)
    for prompt, completion in training_texts(ROWS[1]):
        begin, end = encode(tokenizer, {"prompt": prompt, "completion": completion})
        assert tokenizer.decode([*begin, *end]) == f"<bos>{prompt}{completion}<eos>"


def test_adapters_are_compared_and_each_card_has_the_report(
    hub: Hub, adapters: list[HfUri], dataset: HfUri, judge: HfUri
) -> None:
    recipe = RECIPE.model_copy(update={"evaluate": RECIPE.evaluate.model_copy(update={"scorer": judge.to_uri()})})
    judged = evaluate.run(hub, adapters, dataset, recipe, teacher=judge)
    reports = [report_of(hub, uri) for uri in judged]
    assert reports[0] == reports[1]
    systems = ["base, 4 examples", "teacher", "tiny-rival-1-lora", "tiny-rival-2-lora"]
    assert [system.name for system in reports[0].systems] == systems
    judgement, sense = sorted(reports[0].judgements, key=lambda one: one.judge.family == "classifier")
    assert judgement.judge.name.startswith("local/tiny-judge-lora@")
    assert len(judgement.duels) == 6
    likelihoods = set(METRICS) - {"sense"}  # has no likelihood form
    assert all(set(judgement.means[name]) == likelihoods for name in systems)
    assert sense.judge.name.startswith("sense on ") and all(set(sense.means[name]) == {"sense"} for name in systems)
    assert "**tiny-rival-1-lora**" in hub.text(judged[0], "README.md")
    assert "**tiny-rival-2-lora**" in hub.text(judged[1], "README.md")
    files = set(hub.api.list_repo_files(judged[0].id, revision=judged[0].revision))
    made = {"report.json", "report.md", "calibration.png"}
    made |= {"scores.png"} if has_scores(reports[0]) else set()
    made |= {"duels.png"} if has_pairwise(reports[0]) else set()
    assert {path for path in files if path.startswith("evaluation/")} == {f"evaluation/{name}" for name in made}
    assert ".eval_results/hanjul.yaml" in files
    assert evaluate.run(hub, adapters, dataset, recipe, teacher=judge) == judged


def test_what_was_written_and_scored_before_a_stop_is_not_done_again(
    hub: Hub, adapters: list[HfUri], dataset: HfUri, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped before the first commit, after all lines were written and scored: the second run loads no model."""

    def stopped(*_: Any, **__: Any) -> Any:
        raise HanjulError("stopped")

    recipe = RECIPE.model_copy(update={"seed": 2})
    with monkeypatch.context() as once:
        once.setattr("scripts.stages.evaluate.run_stage", lambda hub, stage, work, card: work(Path("/nowhere")))
        once.setattr("scripts.stages.evaluate.files", stopped)
        with pytest.raises(HanjulError, match="stopped"):
            evaluate.run(hub, adapters[:1], dataset, recipe)
    monkeypatch.setattr("scripts.models.models.load_base", stopped)
    monkeypatch.setattr("scripts.models.models.load_adapter", stopped)
    [judged] = evaluate.run(hub, adapters[:1], dataset, recipe)
    assert [system.name for system in report_of(hub, judged).systems] == ["base, 4 examples", "adapter"]


@pytest.mark.field
def test_what_an_earlier_evaluation_left_goes_with_the_next_and_all_of_it_with_new_weights(
    hub: Hub, base: HfUri, dataset: HfUri
) -> None:
    settings = TRAIN.model_copy(update={"repo": "tiny-stale-lora"})
    adapter = train.run(hub, dataset, base, settings, 1)

    def files() -> set[str]:
        found = hub.api.list_repo_files(adapter.id)
        return {path for path in found if path.startswith(("evaluation/", ".eval_results/"))}

    stale = [CommitOperationAdd("evaluation/duels.png", b"of three systems")]
    stale.append(CommitOperationAdd(".eval_results/others.yaml", b"[]\n"))
    hub.api.create_commit(adapter.id, stale, commit_message="of an earlier evaluation, and somebody's")
    [judged] = evaluate.run(hub, [adapter], dataset, RECIPE)
    assert files() >= {"evaluation/report.md", ".eval_results/hanjul.yaml", ".eval_results/others.yaml"}
    assert "evaluation/duels.png" not in files()  # two systems are not drawn
    train.run(hub, dataset, base, settings, 2)
    assert files() == {".eval_results/others.yaml"}
    assert "evaluation/report.md" in hub.api.list_repo_files(judged.id, revision=judged.revision)


def test_one_adapter_twice_is_refused(hub: Hub, adapters: list[HfUri], dataset: HfUri) -> None:
    with pytest.raises(HanjulError, match="given twice"):
        evaluate.run(hub, [adapters[0], adapters[0]], dataset, RECIPE)


def test_kept_scores_are_of_one_scorer_and_one_set_of_examples() -> None:
    uri = HfUri(type="model", id="local/one", revision="a" * 40)
    examples: Any = tuple(ROWS[:2])
    keys = {
        score_cache.KeptScores(lambda: None, (scorer, None), CalibrationData(shown, corpus, ()))._identity  # type: ignore[arg-type,return-value]
        for scorer in (uri, HfUri(type="model", id="local/one", revision="b" * 40))
        for shown in (examples, examples[:1])
        for corpus in ((), ("줄",))
    }
    assert len(keys) == 8


def test_a_sitting_asks_every_pair_as_often_as_there_are_candidates() -> None:
    prompts = EvalPrompts((("우산", ("든든한",)), ("향초", ("차분한",))), (ROWS[0],), EvaluateSettings(candidates=2), 1)
    chats = prompts.chats(with_shots=True)
    assert [chat[-1]["content"] for chat in chats] == ["상품: 우산\n가치: 든든한"] * 2 + [
        "상품: 향초\n가치: 차분한"
    ] * 2
    assert all(len(chat) == 3 for chat in chats)
    assert all(len(chat) == 1 for chat in prompts.chats(with_shots=False))


def test_a_teacher_behind_an_endpoint_is_asked_once_and_a_pair_it_refuses_has_broken_lines(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MY_TEACHER_KEY", KEY)
    monkeypatch.setattr("scripts.core.env.answers_path", lambda: tmp_path / "answers.sqlite")

    def write(body: dict[str, Any], choice: int) -> Any:
        if "향초" in body["messages"][-1]["content"]:
            return Raw({"error": {"message": "filtered", "code": "content_filter"}}, 400)
        return f"비보다 먼저 펴지는 마음 {body['seed']}\n둘째 줄"

    pairs = (("우산", ("든든한",)), ("향초", ("차분한",)))
    prompts = EvalPrompts(pairs, (ROWS[0],), EvaluateSettings(candidates=2), 1)
    with serve(write) as endpoint:
        named = {"base_url": endpoint.url, "model": MODEL, "api_key_env": "MY_TEACHER_KEY"}
        asking = SynthesizeSettings.model_validate({"teacher": named})
        runs = [system_lines.lines_of_teacher(hub, "teacher", asking, prompts, "run", tmp_path) for _ in range(2)]
        sent = len(endpoint.log.requests)
    (candidate, used), (again, _) = runs
    assert candidate == again
    lines = [answer.line for answer in candidate.answers]
    assert all(line.startswith("비보다 먼저 펴지는 마음 ") and "\n" not in line for line in lines[:2])
    assert lines[2:] == ["", ""]
    assert (candidate.model, candidate.revision, candidate.tokens_per_second) == (MODEL, "", None)
    assert sent == 2 + 2 * 1  # two lines for one pair; the other was refused, and is asked again by a second run
    assert used["input_tokens"] > 0 and used["requests_sent"] == 3


@pytest.mark.field
def test_a_teacher_is_judged_by_its_line_and_not_by_what_it_says_before(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MY_TEACHER_KEY", KEY)
    monkeypatch.setattr("scripts.core.env.answers_path", lambda: tmp_path / "answers.sqlite")
    monkeypatch.setattr(
        "tests.pipelines.endpoint.teacher_server.completion",
        lambda body, lines: completion_of(body, lines) | {"model": "another-7b"},
    )
    prompts = EvalPrompts((("우산", ("든든한",)),), (ROWS[0],), EvaluateSettings(), 1)
    said = '네! 아래는 요청하신 카피입니다.\n\n**"비보다 먼저 펴지는 마음"**\n\n도움이 되셨길 바랍니다.'
    with serve(lambda body, choice: said) as endpoint:
        named = {"base_url": endpoint.url, "model": MODEL, "api_key_env": "MY_TEACHER_KEY"}
        asking = SynthesizeSettings.model_validate({"teacher": named})
        candidate, _ = system_lines.lines_of_teacher(hub, "teacher", asking, prompts, "run", tmp_path)
    assert [answer.line for answer in candidate.answers] == ["비보다 먼저 펴지는 마음"]
    assert candidate.model == "another-7b"
    assert f"evaluate: pairs: {MODEL} was asked, and another-7b answered (1)" in capfd.readouterr().err


def test_what_a_limit_keeps_back_is_no_broken_line(hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MY_TEACHER_KEY", KEY)
    monkeypatch.setattr("scripts.core.env.answers_path", lambda: tmp_path / "answers.sqlite")
    pairs = tuple((f"향초 {n}", ("차분한",)) for n in range(4))
    prompts = EvalPrompts(pairs, (ROWS[0],), EvaluateSettings(), 1)
    with serve(lambda body, choice: "비보다 먼저 펴지는 마음") as endpoint:
        named = {"base_url": endpoint.url, "model": MODEL, "api_key_env": "MY_TEACHER_KEY"}
        asking = SynthesizeSettings.model_validate({"teacher": named, "budget": {"max_requests": 2}})
        said = r"synthesize.budget.max_requests = 2 \(2 sent\): the teacher left 2 pairs of .* short of lines; 2 req"
        with pytest.raises(LimitReachedError, match=said):
            system_lines.lines_of_teacher(hub, "teacher", asking, prompts, "run", tmp_path)
        more = asking.model_copy(update={"budget": asking.budget.model_copy(update={"max_requests": 4})})
        candidate, _ = system_lines.lines_of_teacher(hub, "teacher", more, prompts, "run", tmp_path)
        assert len(endpoint.log.requests) == 4
    assert [answer.line for answer in candidate.answers] == ["비보다 먼저 펴지는 마음"] * 4


def test_the_limit_is_told_where_another_pair_was_given_up_first(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MY_TEACHER_KEY", KEY)
    monkeypatch.setattr("scripts.core.env.answers_path", lambda: tmp_path / "answers.sqlite")
    monkeypatch.setattr("pipelines.endpoint.client.FIRST_PAUSE_S", 0.001)
    prompts = EvalPrompts(
        tuple((f"향초 {n}", ("차분한",)) for n in range(4)), (ROWS[0],), EvaluateSettings(candidates=1), 1
    )

    def write(body: dict[str, Any], choice: int) -> str | tuple[int, str]:
        return (500, "broken") if "향초 0" in body["messages"][-1]["content"] else "비보다 먼저 펴지는 마음"

    with serve(write) as endpoint:
        named = {"base_url": endpoint.url, "model": MODEL, "api_key_env": "MY_TEACHER_KEY"}
        for most, kind, said in (
            (9, LimitReachedError, "max_requests = 9 .9 sent.: the teacher left 3 pairs"),
            (99, HanjulError, "The teacher left 1 pair of the evaluation short of lines: .*broken"),
        ):
            asking = SynthesizeSettings.model_validate(
                {"teacher": named, "budget": {"max_requests": most}, "concurrency": 1}
            )
            with pytest.raises(kind, match=said) as raised:
                system_lines.lines_of_teacher(hub, "teacher", asking, prompts, "run", tmp_path)
            assert type(raised.value) is kind


@pytest.mark.parametrize(
    ("uris", "names"),
    [
        (["a/x", "a/y"], ["x", "y"]),
        (["a/x", "b/x", "a/y"], ["a/x", "b/x", "y"]),
        (["a/x@1", "a/x@2"], ["a/x@1111111", "a/x@2222222"]),
    ],
)
def test_names_are_as_short_as_tells_them_apart(uris: list[str], names: list[str]) -> None:
    parts = [(uri.partition("@")[0], (uri.partition("@")[2] or "0") * 40) for uri in uris]
    assert evaluate.apart([HfUri(type="model", id=name, revision=sha) for name, sha in parts]) == names


def test_an_evaluated_adapter_still_knows_its_own_base_and_method(
    hub: Hub, base: HfUri, dataset: HfUri, judge: HfUri, adapters: list[HfUri]
) -> None:
    """An evaluation commits a manifest of its own; the next one starts from there."""
    from scripts.models import models

    judged = evaluate.run(hub, [adapters[0], judge], dataset, RECIPE)
    assert [models.base_of(hub, uri) for uri in judged] == [base, base]
    assert [models.is_judge(hub, uri) for uri in judged] == [False, True]

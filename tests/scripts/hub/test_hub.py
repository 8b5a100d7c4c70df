"""The stage contract against the local Hub, with the real huggingface_hub."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfUri

from dataset_card.figures import draw
from model_card.cards import report_files
from pipelines.errors import HanjulError
from scripts.core import env
from scripts.exporting import gguf_files, merge
from scripts.hub.hub import Hub
from scripts.hub.stage import Outcome, Stage, run_stage


def stage(hub: Hub, name: str, sealed: str | None = None, **settings: object) -> Stage:
    return Stage("toy", hub.repo("dataset", name), {"source": "sha256:00"}, settings, sealed)


def write(folder: Path, text: str = "a") -> Outcome:
    (folder / "out" / "data.txt").write_text(text)
    return Outcome("1 file", {"out": 1})


def test_one_commit_with_manifest_and_readme(hub: Hub) -> None:
    uri = run_stage(hub, stage(hub, "contract", n=1), write, lambda parent, folder, outcome: "# card\n")
    assert uri.revision and len(uri.revision) == 40
    assert hub.text(uri, "data.txt") == "a"
    assert hub.text(uri, "README.md") == "# card\n"
    manifest = hub.manifest(uri)
    assert manifest["inputs"] == {"source": "sha256:00"}
    assert manifest["recipe"] == {"n": 1}
    assert manifest["counts"] == {"out": 1}
    assert manifest["packages"]["huggingface_hub"]


def test_done_stage_is_found_and_not_run_again(hub: Hub) -> None:
    first = run_stage(hub, stage(hub, "found", n=1), write)
    run_stage(hub, stage(hub, "found", n=2), lambda folder: write(folder, "b"))

    def never(folder: Path) -> Outcome:
        raise AssertionError("the work was repeated")

    assert run_stage(hub, stage(hub, "found", n=1), never) == first


def test_second_stage_keeps_the_files_of_the_first(hub: Hub) -> None:
    run_stage(hub, stage(hub, "both", n=1), write)

    def other(folder: Path) -> Outcome:
        (folder / "out" / "more.txt").write_text("b")
        return Outcome("1 file")

    uri = run_stage(hub, stage(hub, "both", n=2), other)
    assert hub.text(uri, "data.txt") == "a"
    assert hub.text(uri, "more.txt") == "b"


@pytest.mark.field
def test_what_a_stage_owns_and_no_longer_makes_goes_in_the_same_commit(hub: Hub) -> None:
    def figures(*names: str) -> Callable[[Path], Outcome]:
        def work(folder: Path) -> Outcome:
            for name in names:
                path = folder / "out" / name
                path.parent.mkdir(exist_ok=True)
                path.write_text(name)
            return Outcome("figures")

        return work

    def files(uri: HfUri) -> set[str]:
        return set(hub.api.list_repo_files(uri.id, repo_type="dataset", revision=uri.revision)) - {".gitattributes"}

    first = run_stage(hub, stage(hub, "owner", n=1), figures("figures/a.png", "figures/b.png", "figures.txt", "c.png"))
    own = tuple(f"figures/{name}.png" for name in "abd")
    owner = replace(stage(hub, "owner", n=2), owns=own)
    second = run_stage(hub, owner, figures("figures/b.png", "figures/d.png"))
    assert files(first) == {"figures/a.png", "figures/b.png", "figures.txt", "c.png", "manifest.json"}
    assert files(second) == {"figures/b.png", "figures/d.png", "figures.txt", "c.png", "manifest.json"}
    commits = hub.api.list_repo_commits(first.id, repo_type="dataset")
    assert [commit.commit_id for commit in commits[:2]] == [second.revision, first.revision]
    new = replace(stage(hub, "owner-of-nothing"), owns=own)
    assert files(run_stage(hub, new, figures("figures/a.png"))) == {"figures/a.png", "manifest.json"}
    assert owner.fingerprint() == stage(hub, "owner", n=2).fingerprint()


@pytest.mark.field
@pytest.mark.parametrize(
    ("owns", "ours", "theirs"),
    [
        (draw.PATHS, ("figures/scores.png",), ("figures/logo.png", "figures/more/scores.png", "scores.png")),
        (
            report_files.OWN,
            ("evaluation/report.md", "evaluation/duels.png", ".eval_results/hanjul.yaml"),
            ("evaluation/notes/mine.md", "evaluation/mine.csv", ".eval_results/mine.yaml"),
        ),
        (
            merge.WEIGHTS,
            ("model.safetensors", "model-00002-of-00003.safetensors", "model.safetensors.index.json"),
            ("mine/model.safetensors", "mine.safetensors", "model-ema-of-00003.safetensors"),
        ),
        (
            tuple(gguf_files.file_names(HfUri(type="model", id="a/b")).values()),
            ("b-Q8_0.gguf",),
            ("mine/b-Q8_0.gguf", "b-IQ2.gguf"),
        ),
    ],
    ids=["filter", "train and evaluate", "merge", "gguf"],
)
def test_what_a_person_put_beside_stays(
    hub: Hub, request: pytest.FixtureRequest, owns: tuple[str, ...], ours: tuple[str, ...], theirs: tuple[str, ...]
) -> None:
    repo = hub.repo("dataset", f"beside-{request.node.callspec.indices['owns']}")
    first = run_stage(hub, Stage("toy", repo, {"source": "sha256:00"}, {}), write)
    adds = [CommitOperationAdd(path, b"x") for path in (*ours, *theirs)]
    hub.api.create_commit(repo.id, adds, repo_type="dataset", commit_message="by hand")
    second = run_stage(hub, Stage("toy", repo, {"source": first.to_uri()}, {}, owns=owns), write)
    left = set(hub.api.list_repo_files(repo.id, repo_type="dataset", revision=second.revision))
    assert left == {".gitattributes", "data.txt", "manifest.json", *theirs}


def test_interrupted_work_goes_on_in_its_folder(hub: Hub) -> None:
    def breaks(folder: Path) -> Outcome:
        (folder / "checkpoint").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_stage(hub, stage(hub, "resumed"), breaks)
    assert hub.head(hub.repo("dataset", "resumed")) is None  # nothing half-made is visible

    def goes_on(folder: Path) -> Outcome:
        assert (folder / "checkpoint").read_text() == "half"
        return write(folder)

    run_stage(hub, stage(hub, "resumed"), goes_on)
    folder = f"toy-{stage(hub, 'resumed').fingerprint()}"
    assert not (env.data_dir() / "work" / folder).exists()


def test_finished_work_survives_a_refused_commit(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []

    def work(folder: Path) -> Outcome:
        runs.append(1)
        return write(folder)

    bad = {"data_files": 1}  # the Hub refuses a card whose metadata is not YAML of the right shape
    with pytest.raises(HanjulError, match="run the same command again"):
        run_stage(hub, stage(hub, "refused"), work, lambda *_: f"---\nconfigs: {json.dumps(bad)}\nlicense: [\n---\n")
    uri = run_stage(hub, stage(hub, "refused"), work, lambda *_: "# card\n")
    assert hub.text(uri, "data.txt") == "a"
    assert runs == [1]


def test_sealed_release_is_not_changed(hub: Hub) -> None:
    done = run_stage(hub, stage(hub, "sealed", n=1), write)
    assert run_stage(hub, stage(hub, "sealed", "v1.0.0", n=1), write) == done
    with pytest.raises(HanjulError, match="raise `version`"):
        run_stage(hub, stage(hub, "sealed", "v1.0.0", n=2), write)


@pytest.mark.parametrize(
    ("uri", "what"),
    [
        ("hf://datasets/local/absent", "No such repository"),
        ("datasets/one/two/three", "Not a Hub URI"),
        ("hf://datasets/local/known@v9", "No such revision"),
    ],
)
def test_bad_uris(hub: Hub, uri: str, what: str) -> None:
    run_stage(hub, stage(hub, "known"), write)
    with pytest.raises(HanjulError, match=what):
        hub.resolve(uri)


def test_resolve_pins(hub: Hub) -> None:
    made = run_stage(hub, stage(hub, "pinned"), write)
    assert hub.resolve(HfUri(type="dataset", id=made.id)) == made
    hub.api.create_tag(made.id, tag="v1", repo_type="dataset")
    assert hub.resolve(f"hf://datasets/{made.id}@v1") == made
    assert hub.tagged(made, "v1") == made.revision


@pytest.mark.field
def test_a_path_is_taken_only_where_a_file_is_expected(hub: Hub) -> None:
    uri = run_stage(hub, stage(hub, "paths"), write).to_uri()
    with pytest.raises(HanjulError, match="A whole repository is expected") as caught:
        hub.resolve(f"{uri}/data.txt", "dataset")
    assert caught.value.next_step == f"give {uri}"
    assert hub.resolve(f"{uri}/data.txt", file=True).to_uri() == f"{uri}/data.txt"


@pytest.mark.field
def test_text_of_a_person_is_read_as_editors_write_it(hub: Hub) -> None:
    hub.api.create_repo("local/typed", repo_type="dataset")
    for path, content in (("README.md", "\ufeff---\nlicense: mit\n---\n"), ("hanjul.json", "\ufeff{}")):
        hub.api.upload_file(
            path_or_fileobj=content.encode(), path_in_repo=path, repo_id="local/typed", repo_type="dataset"
        )
    uri = hub.resolve("hf://datasets/local/typed")
    assert hub.text(uri, "README.md") == "---\nlicense: mit\n---\n"
    assert hub.text(uri, "hanjul.json") == "{}"
    hub.api.upload_file(
        path_or_fileobj="한글".encode("cp949"), path_in_repo="NOTES.md", repo_id="local/typed", repo_type="dataset"
    )
    with pytest.raises(HanjulError, match=r"NOTES\.md is no text in UTF-8"):
        hub.text(hub.resolve("hf://datasets/local/typed"), "NOTES.md")

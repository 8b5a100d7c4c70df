"""Names and URIs that no repo can have are one sentence with their key, before anything is done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import HanjulError
from scripts import recipes
from scripts.hub import names
from scripts.hub.hub import Hub
from scripts.models import models
from tests.command import hanjul

#: As people write them.
BAD = [
    "my dataset",
    "한줄-카피",
    "a--b",
    "x.git",
    "a/b/c",
    "x" * 97,
    "x/",
    " x",
    "a..b",
    "-x",
    "",
    "hf://datasets/local/x",
]
KEYS = ["dataset", "train.repo", "calibrate.repo", "space.repo"]


@pytest.mark.field
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("name", BAD)
def test_a_name_that_no_repo_can_have(key: str, name: str) -> None:
    with pytest.raises(HanjulError, match="cannot be the name of a") as caught:
        names.check(recipes.load("offline", {key: name}), "local")
    assert caught.value.where.startswith(f"{key}: ") and caught.value.where.endswith(name)
    assert caught.value.next_step == "write it as namespace/name"


@pytest.mark.field
@pytest.mark.parametrize("name", ["gemma-3-270m", *BAD[:6]])
def test_a_base_that_no_repo_can_have(name: str) -> None:
    with pytest.raises(HanjulError, match="cannot be the name of a model repo") as caught:
        names.check(recipes.load("offline", {"train.base_model": name}), "local")
    assert caught.value.where == f"train.base_model: {name}"


@pytest.mark.field
@pytest.mark.parametrize("name", ["./my-base", "../my-base", "/srv/my-base", "~/my-base", "models/my-base"])
def test_a_folder_is_no_base(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub: Hub) -> None:
    (tmp_path / "models" / "my-base").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)  # where transformers would load it instead of the repo of that name
    recipe = recipes.load("offline", {"train.base_model": name})
    for ask in (lambda: names.check(recipe, "local"), lambda: models.resolve_base(hub, recipe.train)):
        with pytest.raises(HanjulError, match="must be a model on the Hub, and this is a folder") as caught:
            ask()
        assert caught.value.where == f"train.base_model: {name}"
        assert "hf upload" in caught.value.next_step


@pytest.mark.field
@pytest.mark.parametrize(
    ("uri", "what"),
    [
        ("HF://datasets/local/x", "Not a Hub URI"),
        ("hf://dataset/local/x", "Did you mean 'datasets/'"),
        ("hf://datasets/x", "must be 'namespace/name'"),
        ("hf://datasets/a--b/x", "Cannot have --"),
        ("hf://datasets/local/한줄", "Repo id must use"),
        ("hf://datasets/local/x@", "Empty revision"),
        (" hf://datasets/local/x", "Not a Hub URI"),
        ("", "Not a Hub URI"),
        ("hf://models/local/x", "This is a model, not a dataset"),
        ("hf://buckets/local/x", "This is a bucket, not a dataset"),
        ("https://huggingface.co/datasets/local/x/discussions/1", "Not a Hub URI"),
    ],
)
def test_a_uri_that_is_none(hub: Hub, uri: str, what: str) -> None:
    with pytest.raises(HanjulError, match=what) as caught:
        hub.resolve(uri, "dataset")
    assert caught.value.where == uri
    with pytest.raises(HanjulError, match=what) as caught:
        names.check(recipes.load("offline", {"evaluate.votes": uri}), "local")
    assert caught.value.where == f"evaluate.votes: {uri}"


@pytest.mark.field
@pytest.mark.parametrize(
    "uri", ["hf://datasets/local/x/", "https://huggingface.co/datasets/local/x", "hf.co/datasets/local/x"]
)
def test_a_uri_as_browsers_and_shells_complete_it(uri: str) -> None:
    assert names.parse(uri, "dataset").to_uri() == "hf://datasets/local/x"


@pytest.mark.field
@pytest.mark.parametrize("key", ["import.source", "filter.slogans", "filter.eval_lines", "synthesize.examples_from"])
def test_a_source_on_the_hub_is_checked_and_a_file_is_not(key: str) -> None:
    names.check(recipes.load("offline", {key: "rows of mine.json"}), "local")
    with pytest.raises(HanjulError, match="Not a Hub URI") as caught:
        names.check(recipes.load("offline", {key: "HF://datasets/local/x"}), "local")
    assert caught.value.where == f"{key}: HF://datasets/local/x"


@given(st.text(max_size=120) | st.from_regex(r"[\w./-]{1,12}", fullmatch=True))
def test_the_client_and_we_are_of_one_mind(name: str) -> None:
    whole = names.with_namespace(name, "local")
    try:
        validate_repo_id(whole)
        valid = whole.count("/") == 1
    except HFValidationError:
        valid = False
    if valid:
        assert names.repo_uri("dataset", whole).id == whole
    else:
        with pytest.raises(HanjulError):
            names.repo_uri("dataset", whole)


@given(st.text(max_size=60) | st.from_regex(r"(hf://)?(datasets/)?[\w./@%-]{0,20}", fullmatch=True))
def test_any_uri_is_read_or_refused(uri: str) -> None:
    try:
        assert names.parse(uri, "dataset").type == "dataset"
    except HanjulError as error:
        assert error.next_step


@pytest.mark.field
@pytest.mark.parametrize(("name", "what"), [("./base", "this is a folder"), ("gpt2", "cannot be the name of a model")])
def test_an_adapter_of_a_base_on_somebodys_disk(hub: Hub, name: str, what: str) -> None:
    repo = f"local/adapter-of-{name.strip('./')}"
    hub.api.create_repo(repo)
    config = json.dumps({"peft_type": "LORA", "base_model_name_or_path": name, "task_type": "CAUSAL_LM"})
    hub.api.upload_file(path_or_fileobj=config.encode(), path_in_repo="adapter_config.json", repo_id=repo)
    adapter = hub.resolve(f"hf://models/{repo}")
    for ask in (lambda: models.base_of(hub, adapter), lambda: models.load_adapter(adapter)):
        with pytest.raises(HanjulError, match=what) as caught:
            ask()
        assert caught.value.where == f"base_model_name_or_path of {adapter.to_uri()}/adapter_config.json: {name}"


@pytest.mark.field
def test_the_command_says_it_before_it_does_anything(tmp_path: Path) -> None:
    for command in (["release"], ["import", "starter"]):
        done = hanjul(*command, "--set", "space.repo=my demo", home=tmp_path)
        assert done.returncode == 1
        assert done.stderr.splitlines()[0].startswith("error: This cannot be the name of a space repo: ")
        assert "  where: space.repo: local/my demo" in done.stderr
    done = hanjul("label", "--push", "--repo", "my votes", home=tmp_path)
    assert done.returncode == 1 and "  where: --repo: local/my votes" in done.stderr


@pytest.mark.field
def test_a_branch_or_tag_with_a_slash_is_found(hub: Hub) -> None:
    hub.api.create_repo("local/branches", repo_type="dataset")
    sha = hub.head(hub.repo("dataset", "branches"))
    hub.api.create_branch("local/branches", branch="feature/new-copy", repo_type="dataset")
    hub.api.create_tag("local/branches", tag="a/b/c", repo_type="dataset")
    hub.api.create_tag("local/branches", tag="a/b", repo_type="dataset")
    uri = "hf://datasets/local/branches"
    for revision, path in {
        "feature/new-copy": "",
        "feature%2Fnew-copy": "",
        "feature/new-copy/data": "data",
        "a/b/c": "",
        "a/b/d": "d",
        "main/data/x": "data/x",
    }.items():
        found = hub.resolve(f"{uri}@{revision}", "dataset", file=True)
        assert (found.revision, found.path_in_repo) == (sha, path), revision
    for revision in ("feature", "feature/new", "feature/new-copy2", "nothing", "no/thing"):
        with pytest.raises(HanjulError, match="No such revision"):
            hub.resolve(f"{uri}@{revision}")


@pytest.mark.field
@pytest.mark.parametrize("key", ["import.source", "synthesize.examples_from", "filter.slogans", "filter.eval_lines"])
@pytest.mark.parametrize("query", ["?config=new", "?split=train", "?config=new&split=train", "?split=train&config=new"])
def test_a_table_may_name_config_and_split(key: str, query: str) -> None:
    names.check(recipes.load("offline", {key: f"hf://datasets/local/x@main{query}"}), "local")
    with pytest.raises(HanjulError, match="must be 'namespace/name'") as caught:
        names.check(recipes.load("offline", {key: f"hf://datasets/x{query}"}), "local")
    assert caught.value.where == f"{key}: hf://datasets/x"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("hf://datasets/a/b", ("hf://datasets/a/b", {})),
        ("hf://datasets/a/b?config=x%20y", ("hf://datasets/a/b", {"config": "x y"})),
        ("hf://datasets/a/b?split=s&config=a=b+c", ("hf://datasets/a/b", {"split": "s", "config": "a=b+c"})),
        ("hf://datasets/a/b/q?.csv", ("hf://datasets/a/b/q?.csv", {})),
        ("hf://datasets/a/b?config=", ("hf://datasets/a/b?config=", {})),
        ("hf://datasets/a/b?config=x&config=y", ("hf://datasets/a/b?config=x&config=y", {})),
        ("hf://datasets/a/b?subset=x", ("hf://datasets/a/b?subset=x", {})),
    ],
)
def test_what_stands_behind_a_uri(uri: str, expected: tuple[str, dict[str, str]]) -> None:
    assert names.without_query(uri) == expected

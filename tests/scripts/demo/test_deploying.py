"""The environment of a Space, set through the real client on the local Hub."""

from __future__ import annotations

import pytest
from huggingface_hub import HfUri

from pipelines.errors import HanjulError
from scripts.demo import deploying
from scripts.demo.deploying import FEEDBACK, configure, create, ensure_feedback, missing_token, secrets_of, variables_of
from scripts.demo.hardware import place_of

ZERO = place_of("zero")


@pytest.fixture
def repo(hub, request) -> HfUri:
    uri = hub.repo("space", request.node.name.replace("test_", "").replace("[", "-").rstrip("]"))
    create(hub, uri, ZERO)
    return uri


def test_a_space_is_created_where_it_is_to_run(hub, repo: HfUri) -> None:
    assert hub.api.get_space_runtime(repo.id).requested_hardware == "zero-a10g"
    assert hub.api.space_info(repo.id).sdk == "gradio"


def test_only_what_differs_is_set(hub, repo: HfUri, monkeypatch) -> None:
    configure(hub, repo, ZERO, {"HANJUL_ENGINE": "llama", FEEDBACK: "local/votes"}, {"HF_TOKEN": "hf_secret"})
    variables = hub.api.get_space_variables(repo.id)
    assert {name: variable.value for name, variable in variables.items()} == {
        "HANJUL_ENGINE": "llama",
        FEEDBACK: "local/votes",
    }
    assert hub.api.get_space_secrets(repo.id).keys() == {"HF_TOKEN"}
    changed: list[str] = []
    for name in ("add_space_variable", "add_space_secret", "delete_space_variable", "request_space_hardware"):
        monkeypatch.setattr(hub.api, name, lambda *_, name=name, **__: changed.append(name))
    configure(hub, repo, ZERO, {FEEDBACK: "local/votes"}, {})
    assert changed == []  # a change would restart the Space


def test_votes_that_are_not_asked_for_any_more_are_not_kept(hub, repo: HfUri) -> None:
    configure(hub, repo, ZERO, {FEEDBACK: "local/votes", "OTHER": "1"}, {})
    configure(hub, repo, ZERO, {}, {})
    assert hub.api.get_space_variables(repo.id).keys() == {"OTHER"}


def test_hardware_is_changed(hub, repo: HfUri) -> None:
    configure(hub, repo, place_of("t4-small"), {}, {})
    assert hub.api.get_space_runtime(repo.id).requested_hardware == "t4-small"


def test_the_dataset_of_votes_is_private(hub) -> None:
    votes, open_to_all = hub.repo("dataset", "demo-votes"), hub.repo("dataset", "demo-votes-public")
    ensure_feedback(hub, votes)
    ensure_feedback(hub, votes)
    assert hub.api.dataset_info(votes.id).private
    hub.api.create_repo(open_to_all.id, repo_type="dataset")
    with pytest.raises(HanjulError, match="this one is public"):
        ensure_feedback(hub, open_to_all)


def test_a_token_is_asked_for_where_something_needs_one(hub, repo: HfUri) -> None:
    gated = HfUri(type="model", id="a/gated")
    assert missing_token(hub, repo, {}, feedback=False, closed=[]) == ""
    said = missing_token(hub, repo, {}, feedback=True, closed=[gated])
    assert "keep no votes" in said and "not download a/gated" in said and "--secret HF_TOKEN" in said
    assert missing_token(hub, repo, {"HF_TOKEN": "x"}, feedback=True, closed=[gated]) == ""
    hub.api.add_space_secret(repo.id, "HF_TOKEN", "hf_secret")
    assert missing_token(hub, repo, {}, feedback=True, closed=[gated]) == ""


def test_secrets_come_from_the_environment(monkeypatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    monkeypatch.setenv("SPACE_TOKEN", "hf_of_the_space")
    assert secrets_of(["HF_TOKEN"]) == {"HF_TOKEN": "hf_mine"}
    assert secrets_of(["HF_TOKEN=SPACE_TOKEN"]) == {"HF_TOKEN": "hf_of_the_space"}
    assert "hf_of_the_space" in deploying.env.secrets()  # so no log shows it


@pytest.mark.parametrize("given", ["ABSENT", "HF_TOKEN=hf_pasted_by_mistake"])
def test_a_secret_that_is_not_there_is_not_repeated(given: str) -> None:
    with pytest.raises(HanjulError, match="no variable of the name") as raised:
        secrets_of([given])
    assert "pasted" not in f"{raised.value} {raised.value.where} {raised.value.next_step}"


def test_variables_are_assignments() -> None:
    assert variables_of(["A=1", "B=x=y", "C="]) == {"A": "1", "B": "x=y", "C": ""}
    for wrong in ("A", "1A=2", "=x"):
        with pytest.raises(HanjulError, match="NAME=VALUE"):
            variables_of([wrong])

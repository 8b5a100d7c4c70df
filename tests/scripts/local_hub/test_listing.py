"""Lists of repos: filters, order and fields, or an error; what is inferred of models. Through huggingface_hub."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, get_session
from huggingface_hub.errors import BadRequestError, HfHubHTTPError


def safetensors(**shapes: list[int]) -> bytes:
    header = {
        "__metadata__": {"format": "pt"},
        **{name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]} for name, shape in shapes.items()},
    }
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text


def config(architecture: str) -> bytes:
    return json.dumps({"architectures": [architecture], "model_type": "tiny"}).encode()


@pytest.fixture
def maker(person: Callable[..., HfApi]) -> tuple[str, HfApi, Callable[..., str]]:
    """A new user, and how they make a repo of files."""
    api = person()
    user = api.whoami()["name"]

    def make(name: str, kind: str = "model", card: str = "", **files: bytes) -> str:
        repo = f"{user}/{name}"
        api.create_repo(repo, repo_type=kind, space_sdk="static" if kind == "space" else None)
        paths = {path.replace("__", "."): content for path, content in files.items()}
        if card:
            paths["README.md"] = f"---\n{card}\n---\n".encode()
        operations = [CommitOperationAdd(path, content) for path, content in paths.items()]
        if operations:
            api.create_commit(repo, operations, commit_message="files", repo_type=kind)
        return repo

    return user, api, make


def test_models_are_filtered(maker) -> None:
    user, api, make = maker
    small = make("small", config__json=config("TinyForCausalLM"), model__safetensors=safetensors(a=[10, 10], b=[5]))
    large = make("large", config__json=config("TinyForMaskedLM"), model__safetensors=safetensors(a=[1000, 10]))
    adapter = make(
        "adapter",
        card=f"base_model: {small}\nlanguage: ko\ntags: [copy]\ndatasets: [team/rows]",
        adapter_config__json=json.dumps({"base_model_name_or_path": small, "task_type": "CAUSAL_LM"}).encode(),
    )
    tagged = make("tagged", card="pipeline_tag: summarization\nlibrary_name: tiny")
    api.update_repo_settings(large, gated="auto")

    def ids(**asked: object) -> list[str]:
        return [info.id for info in api.list_models(author=user, **asked)]

    assert ids() == [tagged, adapter, large, small]
    assert ids(pipeline_tag="text-generation") == [adapter, small]
    assert ids(pipeline_tag="fill-mask") == [large] and ids(pipeline_tag="summarization") == [tagged]
    assert ids(gated=True) == [large] and ids(gated=False) == [tagged, adapter, small]
    assert ids(num_parameters="min:1K") == [large] and ids(num_parameters="min:100,max:0.5K") == [small]
    assert ids(num_parameters="max:1B") == [large, small]
    assert ids(filter=f"base_model:{small}") == ids(filter=f"base_model:adapter:{small}") == [adapter]
    assert ids(filter=["peft", "copy"]) == ids(trained_dataset="team/rows") == [adapter]
    assert ids(filter="transformers") == [large, small] and ids(filter="tiny") == [tagged]
    assert ids(search="LAR") == [large] and ids(search="nothing") == []
    info = api.model_info(small)
    assert info.safetensors and (info.safetensors.total, info.safetensors.parameters) == (105, {"F32": 105})
    assert (info.pipeline_tag, info.config["architectures"]) == ("text-generation", ["TinyForCausalLM"])
    assert info.transformers_info and info.transformers_info.auto_model == "AutoModelForCausalLM"


def test_lists_are_sorted_and_cut(maker, anonymous: HfApi) -> None:
    user, api, make = maker
    first, second, third = (make(name, a__txt=b"a") for name in ("first", "second", "third"))
    for _ in range(2):  # files of a repo, within minutes, are one download
        api.hf_hub_download(first, "a.txt", force_download=True)
        api.hf_hub_download(first, ".gitattributes", force_download=True)
    anonymous.hf_hub_download(first, "a.txt", force_download=True)
    api.hf_hub_download(second, "a.txt", force_download=True)
    get_session().post(f"{api.endpoint}/api/models/{second}/like", headers=api._build_hf_headers()).raise_for_status()
    api.upload_file(repo_id=first, path_in_repo="b", path_or_fileobj=b"b")

    def ids(**asked: object) -> list[str]:
        return [info.id for info in api.list_models(author=user, **asked)]

    assert ids(sort="downloads") == [first, second, third]
    assert [info.downloads for info in api.list_models(author=user, sort="downloads")] == [2, 1, 0]
    assert ids(sort="likes") == ids(sort="trending_score") == [second, third, first]
    assert ids(sort="last_modified") == [first, third, second]
    assert ids(sort="created_at", limit=2) == [third, second]


def test_fields(maker) -> None:
    user, api, make = maker
    repo = make("fields", card="license: mit", a__txt=b"a")

    def one(**asked: object):
        (info,) = api.list_models(author=user, **asked)
        return info

    assert one().siblings is None
    assert {file.rfilename for file in one(full=True).siblings} == {".gitattributes", "README.md", "a.txt"}
    narrow = one(expand=["likes", "usedStorage", "siblings"])
    assert (narrow.likes, narrow.tags) == (0, None) and narrow.used_storage > 100 and len(narrow.siblings) == 3
    assert api.model_info(repo, expand=["cardData"]).card_data.license == "mit"
    with pytest.raises(BadRequestError, match="knows no nonsense"):
        api.model_info(repo, expand=["nonsense"])
    with pytest.raises(BadRequestError, match="knows no sdk"):
        one(expand=["sdk"])


def test_datasets_and_spaces_are_filtered(maker) -> None:
    user, api, make = maker
    korean = make("korean", "dataset", "language: ko\ntask_categories: [text-generation]\nsize_categories: n<1K")
    other = make("other-rows", "dataset")
    api.update_repo_settings(other, repo_type="dataset", gated="manual")
    assert [info.id for info in api.list_datasets(author=user, language="ko")] == [korean]
    assert [info.id for info in api.list_datasets(author=user, task_categories="text-generation")] == [korean]
    assert [info.id for info in api.list_datasets(author=user, gated=True)] == [other]
    assert [info.id for info in api.list_datasets(author=user, dataset_name="other", search="rows")] == [other]
    assert not list(api.list_datasets(author=user, benchmark="official"))
    head = "title: a\nemoji: a\ncolorFrom: blue\ncolorTo: gray\nsdk: static\n"
    uses = make("uses", "space", f"{head}models: [team/adapter]\ndatasets: [{korean}]")
    make("alone", "space")
    assert [info.id for info in api.list_spaces(author=user, models="team/adapter")] == [uses]
    assert [info.id for info in api.list_spaces(author=user, datasets=[korean])] == [uses]
    assert [info.id for info in api.list_spaces(author=user, linked=True)] == [uses]


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("models", "inference=warm"),
        ("models", "apps=vllm"),
        ("models", "sort=size"),
        ("models", "num_parameters=6"),
        ("models", "num_parameters=min:-1"),
        ("models", "gated=maybe"),
        ("models", "direction=0"),
        ("datasets", "pipeline_tag=x"),
        ("spaces", "gated=true"),
        ("spaces", "expand=downloads"),
    ],
)
def test_what_is_not_known_is_refused(api: HfApi, kind: str, asked: str) -> None:
    assert get_session().get(f"{api.endpoint}/api/{kind}?{asked}").status_code == 400


def test_broken_files_say_nothing(maker) -> None:
    user, api, make = maker
    repo = make(
        "broken",
        config__json=b"[1, 2",
        model__safetensors=struct.pack("<Q", 2**60) + b"{}",
        adapter_config__json=b'{"task_type": 3}',
    )
    assert api.model_info(repo).pipeline_tag is api.model_info(repo).safetensors is None
    with pytest.raises(HfHubHTTPError):
        list(api.list_models(author=user, sort="nonsense"))


def test_ones_own_repos_and_their_size(maker, person: Callable[..., HfApi]) -> None:
    user, api, make = maker
    small, large = make("small", a__txt=b"a"), make("large", "dataset", a__txt=b"a" * 10_000)
    api.update_repo_settings(large, repo_type="dataset", private=True)
    listed = list(api.list_user_repos())
    assert [(repo.id, repo.type, repo.visibility) for repo in listed] == [
        (large, "dataset", "private"),
        (small, "model", "public"),
    ]
    assert listed[0].storage > 10_000
    assert [repo.id for repo in person().list_user_repos(user)] == [small]

"""huggingface_hub against the local Hub: repos, refs, settings."""

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    BadRequestError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)


def test_whoami(api: HfApi, anonymous: HfApi):
    assert api.whoami()["name"] == "local"
    with pytest.raises(HfHubHTTPError, match="Invalid user token"):
        HfApi(endpoint=api.endpoint, token="hf_of_the_real_hub").whoami()


def test_create_delete(api: HfApi, repo_id: str):
    assert api.create_repo(repo_id).repo_id == repo_id
    assert api.list_repo_files(repo_id) == [".gitattributes"]
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_repo(repo_id)
    assert api.create_repo(repo_id, exist_ok=True) == f"{api.endpoint}/{repo_id}"
    api.delete_repo(repo_id)
    assert not api.repo_exists(repo_id)
    api.delete_repo(repo_id, missing_ok=True)


def test_kinds_are_apart(api: HfApi, repo_id: str):
    assert api.create_repo(repo_id, repo_type="dataset") == f"{api.endpoint}/datasets/{repo_id}"
    assert api.repo_exists(repo_id, repo_type="dataset")
    assert not api.repo_exists(repo_id)
    with pytest.raises(RepositoryNotFoundError):
        api.model_info(repo_id)


@pytest.mark.parametrize("name", ["bad--name", "a..b", "x.git", "-x", "x" * 97, "sp ace", "api/x", "datasets/x"])
def test_bad_names(api: HfApi, name: str):
    organization, _, name = name.rpartition("/")
    answer = _post(api, "/api/repos/create", {"name": name, "organization": organization or "team"})
    assert answer.status_code == 400
    assert answer.headers["x-error-code"] == "BadRequest"


def _post(api: HfApi, path: str, body: object):
    from huggingface_hub import get_session

    return get_session().post(api.endpoint + path, json=body, headers={"Authorization": f"Bearer {api.token}"})


def test_writes_need_the_token(api: HfApi, anonymous: HfApi, repo_id: str):
    with pytest.raises(HfHubHTTPError, match="401"):
        anonymous.create_repo(repo_id)
    api.create_repo(repo_id)
    assert anonymous.model_info(repo_id).id == repo_id
    stranger = HfApi(endpoint=api.endpoint, token="hf_of_the_real_hub")
    assert stranger.model_info(repo_id).id == repo_id
    for other in (anonymous, stranger):
        with pytest.raises(HfHubHTTPError, match="401"):
            other.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=repo_id)
        with pytest.raises(HfHubHTTPError, match="401"):
            other.delete_repo(repo_id)


def test_private_and_gated(api: HfApi, anonymous: HfApi, repo_id: str, tmp_path):
    api.create_repo(repo_id, private=True)
    assert api.model_info(repo_id).private
    with pytest.raises(RepositoryNotFoundError):
        anonymous.model_info(repo_id)
    with pytest.raises(RepositoryNotFoundError):
        anonymous.hf_hub_download(repo_id, ".gitattributes", cache_dir=tmp_path)
    assert repo_id not in {model.id for model in anonymous.list_models()}
    api.update_repo_settings(repo_id, private=False, gated="auto")
    assert anonymous.model_info(repo_id).gated == "auto"
    with pytest.raises(GatedRepoError):
        anonymous.hf_hub_download(repo_id, ".gitattributes", cache_dir=tmp_path)
    assert api.hf_hub_download(repo_id, ".gitattributes", cache_dir=tmp_path)
    api.auth_check(repo_id)


def test_move_redirects(api: HfApi, repo_id: str, tmp_path):
    api.create_repo(repo_id)
    api.move_repo(repo_id, f"{repo_id}-new")
    assert api.model_info(repo_id).id == f"{repo_id}-new"
    assert api.hf_hub_download(repo_id, ".gitattributes", cache_dir=tmp_path)
    api.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=f"{repo_id}-new")
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_repo(f"{repo_id}-other")
        api.move_repo(f"{repo_id}-new", f"{repo_id}-other")


def test_branches_and_tags(api: HfApi, repo_id: str):
    api.create_repo(repo_id)
    first = api.model_info(repo_id).sha
    api.create_branch(repo_id, branch="feature/x")
    second = api.upload_file(path_or_fileobj=b"1", path_in_repo="a", repo_id=repo_id, revision="feature/x").oid
    api.create_tag(repo_id, tag="v1.2.0", revision="feature/x", tag_message="first")
    refs = api.list_repo_refs(repo_id)
    assert {ref.name: ref.target_commit for ref in refs.branches} == {"main": first, "feature/x": second}
    assert [(ref.name, ref.ref, ref.target_commit) for ref in refs.tags] == [("v1.2.0", "refs/tags/v1.2.0", second)]
    for again in (
        lambda: api.create_branch(repo_id, branch="feature/x"),
        lambda: api.create_tag(repo_id, tag="v1.2.0"),
    ):
        with pytest.raises(HfHubHTTPError, match="409"):
            again()
    api.create_tag(repo_id, tag="v1.2.0", exist_ok=True)
    for revision in ("v1.2.0", "feature/x", second, second[:8], "refs/tags/v1.2.0", "refs/heads/feature/x"):
        assert api.model_info(repo_id, revision=revision).sha == second
    with pytest.raises(RevisionNotFoundError):
        api.upload_file(path_or_fileobj=b"2", path_in_repo="a", repo_id=repo_id, revision="v1.2.0")
    with pytest.raises(HfHubHTTPError, match="403"):
        api.delete_branch(repo_id, branch="main")
    with pytest.raises(BadRequestError):
        api.create_branch(repo_id, branch="a..b")
    api.delete_branch(repo_id, branch="feature/x")
    api.delete_tag(repo_id, tag="v1.2.0")
    with pytest.raises(RevisionNotFoundError):
        api.model_info(repo_id, revision="v1.2.0")
    assert api.model_info(repo_id, revision=second).sha == second


def test_lists_and_pages(api: HfApi, anonymous: HfApi):
    card = b"---\ntags: [ad-copy]\nlanguage: ko\ndatasets: [team/d]\n---\n"
    for number in range(3):
        api.create_repo(f"lister/m{number}")
    api.upload_file(path_or_fileobj=card, path_in_repo="README.md", repo_id="lister/m1")
    assert [model.id for model in anonymous.list_models(author="lister")] == ["lister/m2", "lister/m1", "lister/m0"]
    assert [model.id for model in anonymous.list_models(author="lister", limit=2)] == ["lister/m2", "lister/m1"]
    assert [model.id for model in anonymous.list_models(search="ister m1")] == ["lister/m1"]
    assert [model.id for model in anonymous.list_models(filter=["ad-copy", "dataset:team/d"])] == ["lister/m1"]
    assert list(anonymous.list_datasets(author="lister")) == []


def test_collections(api: HfApi, anonymous: HfApi, repo_id: str):
    api.create_repo(repo_id)
    made = api.create_collection("한 줄 Release", namespace="team", description="d")
    assert api.create_collection("한 줄 Release", namespace="team", exists_ok=True).slug == made.slug
    full = api.add_collection_item(made.slug, repo_id, "model", note="the model")
    assert [(item.item_id, item.item_type, item.note) for item in full.items] == [(repo_id, "model", "the model")]
    with pytest.raises(HfHubHTTPError, match="409"):
        api.add_collection_item(made.slug, repo_id, "model")
    with pytest.raises(HfHubHTTPError, match="404"):
        api.add_collection_item(made.slug, "team/absent", "model")
    api.update_collection_item(made.slug, full.items[0].item_object_id, note="new", position=3)
    renamed = api.update_collection_metadata(made.slug, title="Other", private=True)
    assert renamed.slug != made.slug
    assert api.get_collection(made.slug).items[0].note == "new"
    with pytest.raises(HfHubHTTPError, match="404"):
        anonymous.get_collection(made.slug)
    assert renamed.slug in {item.slug for item in api.list_collections(owner="team")}
    api.delete_collection_item(renamed.slug, full.items[0].item_object_id)
    api.delete_collection(renamed.slug)
    api.delete_collection(renamed.slug, missing_ok=True)


def test_spaces(api: HfApi, anonymous: HfApi, repo_id: str):
    api.create_repo(
        repo_id,
        repo_type="space",
        space_sdk="gradio",
        space_variables=[{"key": "A", "value": "1"}],
        space_secrets=[{"key": "TOKEN", "value": "hidden"}],
    )
    assert api.list_repo_files(repo_id, repo_type="space") == [".gitattributes", "README.md"]
    assert api.space_info(repo_id).sdk == "gradio"
    assert api.get_space_runtime(repo_id).stage == "NO_APP_FILE"
    api.upload_file(path_or_fileobj=b"1", path_in_repo="app.py", repo_id=repo_id, repo_type="space")
    assert api.space_info(repo_id).runtime.stage == "STOPPED"
    assert api.request_space_hardware(repo_id, "t4-small", sleep_time=600).requested_hardware == "t4-small"
    assert api.set_space_sleep_time(repo_id, 300).sleep_time == 300
    assert api.restart_space(repo_id).hardware is None
    api.add_space_variable(repo_id, "B", "2", description="b")
    assert {key: value.value for key, value in api.get_space_variables(repo_id).items()} == {"A": "1", "B": "2"}
    api.delete_space_variable(repo_id, "B")
    assert set(api.get_space_secrets(repo_id)) == {"TOKEN"}
    with pytest.raises(HfHubHTTPError, match="401"):
        anonymous.get_space_variables(repo_id)


def test_what_is_missing_fails_at_once(api: HfApi, repo_id: str):
    api.create_repo(repo_id)
    with pytest.raises(HfHubHTTPError, match="404"):
        api.get_discussion_details(repo_id, 1)
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("gpt2")


def test_a_repo_is_duplicated(api: HfApi, repo_id: str):
    api.create_repo(repo_id, repo_type="dataset", private=True)
    api.upload_file(repo_id=repo_id, repo_type="dataset", path_in_repo="a.bin", path_or_fileobj=b"\0a")
    api.create_tag(repo_id, tag="v1", repo_type="dataset")
    api.create_pull_request(repo_id, "stays behind", repo_type="dataset")
    copy = api.duplicate_repo(repo_id, f"{repo_id}-copy", repo_type="dataset")
    assert copy.repo_id == f"{repo_id}-copy"
    old, new = (api.dataset_info(name, revision="v1") for name in (repo_id, copy.repo_id))
    assert (new.sha, new.private) == (old.sha, True)
    assert [commit.title for commit in api.list_repo_commits(copy.repo_id, repo_type="dataset")][1] == "initial commit"
    assert not list(api.get_repo_discussions(copy.repo_id, repo_type="dataset"))
    with pytest.raises(HfHubHTTPError, match="already created"):
        api.duplicate_repo(repo_id, copy.repo_id, repo_type="dataset")
    assert api.duplicate_repo(repo_id, copy.repo_id, repo_type="dataset", exist_ok=True).repo_id == copy.repo_id
    api.delete_repo(repo_id, repo_type="dataset")
    api.hf_hub_download(copy.repo_id, "a.bin", repo_type="dataset")


def test_kernels_are_repos(api: HfApi, repo_id: str):
    url = api.create_repo(repo_id, repo_type="kernel")
    assert (url.repo_type, str(url)) == ("kernel", f"{api.endpoint}/kernels/{repo_id}")
    done = api.upload_file(repo_id=repo_id, repo_type="kernel", path_in_repo="build/k.py", path_or_fileobj=b"k")
    assert done.commit_url.startswith(f"{url}/commit/")
    assert api.kernel_info(repo_id).sha == done.oid
    api.hf_hub_download(repo_id, "build/k.py", repo_type="kernel")
    api.delete_repo(repo_id, repo_type="kernel")

"""Access to gated repos, likes and collections of several people, through huggingface_hub."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from huggingface_hub import HfApi, get_session
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

People = Callable[..., HfApi]


def names(requests) -> list[str]:
    return [request.username for request in requests]


def ask(api: HfApi, repo: str) -> None:
    address = f"{api.endpoint}/{repo}/ask-access"
    get_session().post(address, data={"why": "to read"}, headers=api._build_hf_headers()).raise_for_status()


def test_who_asks_waits_until_accepted(person: People, anonymous: HfApi) -> None:
    mine, other = person(), person()
    name = other.whoami()["name"]
    repo = mine.create_repo("gated").repo_id
    mine.upload_file(repo_id=repo, path_in_repo="a.txt", path_or_fileobj=b"a")
    mine.update_repo_settings(repo, gated="manual")
    for stranger, why in ((anonymous, "be authenticated"), (other, "not in the authorized list")):
        assert stranger.model_info(repo).gated == "manual"
        with pytest.raises(GatedRepoError, match=why):
            stranger.hf_hub_download(repo, "a.txt")
        with pytest.raises(GatedRepoError):
            stranger.auth_check(repo)
    mine.auth_check(repo)
    ask(other, repo)
    with pytest.raises(GatedRepoError, match="awaits a review"):
        other.auth_check(repo)
    (asked,) = mine.list_pending_access_requests(repo)
    assert (asked.username, asked.status, asked.fields) == (name, "pending", {"why": "to read"})
    with pytest.raises(HfHubHTTPError, match="may not write"):
        list(other.list_pending_access_requests(repo))
    mine.reject_access_request(repo, name, rejection_reason="no")
    with pytest.raises(GatedRepoError, match="was rejected"):
        other.auth_check(repo)
    mine.accept_access_request(repo, request_id=asked.request_id)
    other.hf_hub_download(repo, "a.txt", force_download=True)
    with pytest.raises(HfHubHTTPError, match="accepted already"):
        mine.accept_access_request(repo, name)
    mine.cancel_access_request(repo, name)
    assert names(mine.list_pending_access_requests(repo)) == [name]
    get_session().post(
        f"{other.endpoint}/api/models/{repo}/user-access-request/cancel", headers=other._build_hf_headers()
    ).raise_for_status()
    assert names(mine.list_pending_access_requests(repo)) == []


def test_access_is_granted_or_taken_at_once(person: People) -> None:
    mine, other, third = person(), person(), person()
    repo = mine.create_repo("open-sesame").repo_id
    with pytest.raises(HfHubHTTPError, match="is not gated"):
        mine.grant_access(repo, other.whoami()["name"])
    mine.update_repo_settings(repo, gated="auto")
    mine.grant_access(repo, other.whoami()["name"])
    with pytest.raises(HfHubHTTPError, match="has access"):
        mine.grant_access(repo, other.whoami()["name"])
    with pytest.raises(HfHubHTTPError, match="no user"):
        mine.grant_access(repo, "nobody-at-all")
    ask(third, repo)
    for reader in (other, third):
        reader.auth_check(repo)
    assert set(names(mine.list_accepted_access_requests(repo))) == {api.whoami()["name"] for api in (other, third)}


def test_likes(person: People) -> None:
    mine, other = person(), person()
    public, private = mine.create_repo("liked").repo_id, mine.create_repo("liked-alone", private=True).repo_id
    address = f"{mine.endpoint}/api/models/{{}}/like"
    for repo in (public, private):
        get_session().post(address.format(repo), headers=mine._build_hf_headers()).raise_for_status()
    get_session().post(address.format(public), headers=other._build_hf_headers()).raise_for_status()
    assert mine.model_info(public).likes == 2
    name = mine.whoami()["name"]
    assert set(mine.list_liked_repos().models) == {public, private}
    assert other.list_liked_repos(name).models == [public]
    assert {user.username for user in mine.list_repo_likers(public)} == {name, other.whoami()["name"]}
    other.unlike(public)
    assert mine.model_info(public).likes == 1
    for missing in (private, "missing_repo_id"):
        with pytest.raises(RepositoryNotFoundError):
            other.unlike(missing)


def test_collections_hold_papers_and_collections_in_an_order(person: People) -> None:
    mine = person()
    inner = mine.create_collection("inner")
    outer = mine.create_collection("outer")
    repo = mine.create_repo("kept").repo_id
    for item, kind in ((repo, "model"), (inner.slug, "collection"), ("1706.03762", "paper")):
        mine.add_collection_item(outer.slug, item, kind)
    for item, kind in (("nobody/nothing", "model"), ("nobody/none-" + "0" * 24, "collection"), ("x", "paper")):
        with pytest.raises(HfHubHTTPError, match="404"):
            mine.add_collection_item(outer.slug, item, kind)
    hidden = mine.create_repo("hidden", private=True).repo_id
    mine.add_collection_item(inner.slug, hidden, "model")
    assert [len(api.get_collection(inner.slug).items) for api in (mine, person())] == [1, 0]
    first = mine.get_collection(outer.slug).items[0]
    mine.update_collection_item(outer.slug, first.item_object_id, position=2)
    assert [item.item_id for item in mine.get_collection(outer.slug).items] == [inner.slug, "1706.03762", repo]

"""huggingface_hub against the local Hub: commits, uploads, downloads, cards."""

import os
from pathlib import Path

import pytest
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    HfApi,
    HfFileSystem,
    ModelCard,
    get_session,
)
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RevisionNotFoundError


def test_commit_of_regular_and_lfs_files(api: HfApi, repo_id: str, tmp_path: Path):
    api.create_repo(repo_id)
    parent = api.model_info(repo_id).sha
    weights = os.urandom(1_000_000)
    made = api.create_commit(
        repo_id,
        [
            CommitOperationAdd("config.json", b'{"a": 1}'),
            CommitOperationAdd("sub/폴더/model.safetensors", weights),
            CommitOperationAdd("empty.bin", b""),
        ],
        commit_message="제목",
        commit_description="why",
        parent_commit=parent,
    )
    assert len(made.oid) == 40
    assert made.commit_url == f"{api.endpoint}/{repo_id}/commit/{made.oid}"
    entries = {entry.path: entry for entry in api.list_repo_tree(repo_id, recursive=True, expand=True)}
    assert set(entries) == {
        ".gitattributes",
        "config.json",
        "empty.bin",
        "sub",
        "sub/폴더",
        "sub/폴더/model.safetensors",
    }
    assert entries["sub/폴더/model.safetensors"].lfs.size == 1_000_000
    assert entries["config.json"].lfs is None
    assert entries["empty.bin"].lfs is None
    assert entries["config.json"].last_commit.oid == made.oid
    assert entries[".gitattributes"].last_commit.oid == parent
    got = api.hf_hub_download(repo_id, "sub/폴더/model.safetensors", revision=made.oid, cache_dir=tmp_path)
    assert Path(got).read_bytes() == weights
    assert made.oid in got
    assert [(item.title, item.message, item.authors) for item in api.list_repo_commits(repo_id)] == [
        ("제목", "why", ["local"]),
        ("initial commit", "", ["local"]),
    ]
    with pytest.raises(HfHubHTTPError, match="412"):
        api.create_commit(repo_id, [CommitOperationAdd("x", b"x")], commit_message="stale", parent_commit=parent)
    assert [item.path for item in api.get_paths_info(repo_id, ["sub", "config.json", "absent"])] == [
        "sub",
        "config.json",
    ]
    assert api.list_repo_tree(repo_id, path_in_repo="sub") is not None
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree(repo_id, path_in_repo="absent"))


def test_delete_copy_and_unchanged(api: HfApi, repo_id: str, tmp_path: Path):
    api.create_repo(repo_id)
    files = {"a/1.bin": b"\0one", "a/2.txt": b"two", "keep": b"k"}
    api.create_commit(repo_id, [CommitOperationAdd(*item) for item in files.items()], commit_message="add")
    head = api.model_info(repo_id).sha
    same = api.create_commit(repo_id, [CommitOperationAdd(*item) for item in files.items()], commit_message="same")
    assert same.oid == head
    api.create_commit(
        repo_id,
        [
            CommitOperationCopy("a/1.bin", "c.bin"),
            CommitOperationCopy("a/2.txt", "c.txt"),
            CommitOperationDelete("keep"),
        ],
        commit_message="copy",
    )
    api.delete_folder("a", repo_id)
    assert api.list_repo_files(repo_id) == [".gitattributes", "c.bin", "c.txt"]
    assert Path(api.hf_hub_download(repo_id, "c.bin", cache_dir=tmp_path)).read_bytes() == b"\0one"
    for path in ("absent", "a/"):
        with pytest.raises(EntryNotFoundError):
            api.create_commit(repo_id, [CommitOperationDelete(path)], commit_message="no")
    with pytest.raises(HfHubHTTPError, match="422"):
        api.create_commit(repo_id, [CommitOperationAdd("c.txt/inside", b"x")], commit_message="clash")
    api.super_squash_history(repo_id)
    assert len(api.list_repo_commits(repo_id)) == 1
    assert api.list_repo_files(repo_id) == [".gitattributes", "c.bin", "c.txt"]
    assert api.list_repo_files(repo_id, revision=head) == [".gitattributes", "a/1.bin", "a/2.txt", "keep"]


def test_folder_up_and_snapshot_down(api: HfApi, repo_id: str, tmp_path: Path):
    source = tmp_path / "source"
    contents = {f"d{number % 3}/f{number}.{'bin' if number % 2 else 'txt'}": os.urandom(2000) for number in range(40)}
    for path, content in contents.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes(content)
    api.create_repo(repo_id, repo_type="dataset")
    made = api.upload_folder(repo_id=repo_id, folder_path=source, repo_type="dataset")
    api.create_tag(repo_id, tag="v1", repo_type="dataset")
    api.upload_folder(
        repo_id=repo_id, folder_path=source, path_in_repo="again", repo_type="dataset", delete_patterns="*"
    )
    got = Path(api.snapshot_download(repo_id, repo_type="dataset", revision="v1", cache_dir=tmp_path / "cache"))
    assert got.name == made.oid
    assert {path: (got / path).read_bytes() for path in contents} == contents
    info = api.dataset_info(repo_id, revision="v1", files_metadata=True)
    assert {item.rfilename: item.size for item in info.siblings if item.rfilename in contents} == dict.fromkeys(
        contents, 2000
    )


def test_absent_files_and_revisions(api: HfApi, repo_id: str, tmp_path: Path):
    api.create_repo(repo_id)
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download(repo_id, "absent", cache_dir=tmp_path)
    assert list(tmp_path.glob("**/.no_exist/*/absent"))
    with pytest.raises(RevisionNotFoundError):
        api.hf_hub_download(repo_id, ".gitattributes", revision="absent", cache_dir=tmp_path)
    assert not api.file_exists(repo_id, "absent")


@pytest.mark.parametrize(
    ("range_", "status", "body"),
    [
        ("bytes=2-5", 206, b"2345"),
        ("bytes=-3", 206, b"789"),
        ("bytes=7-", 206, b"789"),
        ("bytes=0-99", 206, b"0123456789"),
        ("bytes=10-", 416, None),
        (None, 200, b"0123456789"),
    ],
)
def test_ranges(api: HfApi, range_: str | None, status: int, body: bytes | None):
    api.create_repo("team/ranges", exist_ok=True)
    api.upload_file(path_or_fileobj=b"0123456789", path_in_repo="w.bin", repo_id="team/ranges")
    url = f"{api.endpoint}/team/ranges/resolve/main/w.bin"
    answer = get_session().get(url, headers={"Range": range_} if range_ else {})
    assert answer.status_code == status
    if status == 206:
        assert answer.headers["content-range"].endswith("/10")
    if body is not None:
        assert answer.content == body
        assert answer.headers["x-linked-size"] == "10"
        assert "content-encoding" not in answer.headers
    head = get_session().head(url)
    assert (head.content, head.headers["content-length"]) == (b"", "10")


def test_resumed_download(api: HfApi, repo_id: str, tmp_path: Path):
    api.create_repo(repo_id)
    content = os.urandom(300_000)
    api.upload_file(path_or_fileobj=content, path_in_repo="w.bin", repo_id=repo_id)
    sha = api.get_paths_info(repo_id, ["w.bin"])[0].lfs.sha256
    partial = tmp_path / f"models--{repo_id.replace('/', '--')}" / "blobs" / f"{sha}.incomplete"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(content[:100_000])
    assert Path(api.hf_hub_download(repo_id, "w.bin", cache_dir=tmp_path)).read_bytes() == content


def test_cards(api: HfApi, repo_id: str, tmp_path: Path):
    api.create_repo(repo_id)
    text = "---\nlicense: apache-2.0\nlanguage: ko\ntags:\n- ad-copy\nbase_model: google/gemma-3-270m\n---\n# 한 줄\n"
    card = ModelCard(text)
    card.validate()
    card.push_to_hub(repo_id, token=api.token)
    assert ModelCard.load(repo_id, token=api.token).data.base_model == "google/gemma-3-270m"
    info = api.model_info(repo_id)
    assert info.card_data.license == "apache-2.0"
    bases = {"base_model:google/gemma-3-270m", "base_model:finetune:google/gemma-3-270m"}
    assert set(info.tags) == {"ad-copy", "ko", "license:apache-2.0"} | bases
    with pytest.raises(ValueError, match="license"):
        ModelCard("---\nlicense: 3\n---\n").validate()
    for bad in (b"---\n: [\n---\n", b"---\n- a\n---\n", b"---\nmodel-index: 3\n---\n", b"---\na: &a [*a]\n---\n"):
        with pytest.raises(ValueError, match="Invalid metadata"):  # the client asks validate-yaml first
            api.upload_file(path_or_fileobj=bad, path_in_repo="README.md", repo_id=repo_id)
    odd = b"---\nwhen: 2026-01-01\nnumber: .nan\n1: 2\n---\n"
    api.upload_file(path_or_fileobj=odd, path_in_repo="README.md", repo_id=repo_id)
    assert api.model_info(repo_id).card_data.to_dict() == {"when": "2026-01-01", "number": "nan", "1": 2}


def test_file_system(api: HfApi, repo_id: str):
    api.create_repo(repo_id, repo_type="dataset")
    files = HfFileSystem(endpoint=api.endpoint, token=api.token, skip_instance_cache=True)
    root = f"datasets/{repo_id}"
    with files.open(f"{root}/data/가.txt", "w") as file:
        file.write("내용")
    assert files.read_text(f"{root}/data/가.txt") == "내용"
    assert files.glob(f"{root}/**/*.txt") == [f"{root}/data/가.txt"]
    assert files.isdir(f"{root}/data")
    files.rm(f"{root}/data/가.txt")
    assert not files.exists(f"{root}/data/가.txt")

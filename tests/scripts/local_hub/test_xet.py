"""Uploads by the Xet protocol: huggingface_hub's default client, and bodies that no client sends."""

from __future__ import annotations

import hashlib
import io
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lz4.frame
import pytest
from huggingface_hub import HfApi, get_session
from hypothesis import given
from hypothesis import strategies as st

from scripts.local_hub import blobs
from scripts.local_hub.xet import shard, xorb
from scripts.local_hub.xet.shard import ShardFile, Term
from scripts.local_hub.xet.stash import Stash, Unassembled

NAME = "ab" * 32
UPLOADS = """
import json, os, random, struct
from pathlib import Path
from datasets import Dataset, load_dataset
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.utils._runtime import is_xet_available
assert is_xet_available()
random.seed(7)
repo, rows = {repo!r}, {rows!r}
contents = {{
    "random.bin": random.randbytes(1_500_000),
    "text.bin": "비보다 먼저 펴지는 마음".encode() * 40_000,
    "floats.safetensors": struct.pack("<200000f", *(random.random() for _ in range(200_000))),
    "odd.bin": bytes(range(256)) * 401 + b"xyz",
    "one.bin": b"\\0",
    "empty.bin": b"",
}}
contents["changed.bin"] = contents["random.bin"][:700_000] + b"new" + contents["random.bin"][700_000:]
folder = Path(os.environ["HF_HOME"]) / "folder"
folder.mkdir(parents=True)
for name in ("random.bin", "text.bin", "floats.safetensors"):
    (folder / name).write_bytes(contents[name])
api = HfApi()
api.create_repo(repo)
api.upload_folder(repo_id=repo, folder_path=folder)
for name in ("odd.bin", "one.bin", "empty.bin", "changed.bin"):
    api.upload_file(repo_id=repo, path_or_fileobj=contents[name], path_in_repo=name)
api.upload_file(repo_id=repo, path_or_fileobj=contents["text.bin"], path_in_repo="again.bin")
contents["again.bin"] = contents["text.bin"]
Dataset.from_dict({{"ad_copy": ["한 줄"] * 2000}}).push_to_hub(rows)
same = {{name: Path(hf_hub_download(repo, name)).read_bytes() == content for name, content in contents.items()}}
print(json.dumps({{"same": same, "rows": load_dataset(rows, split="train").num_rows}}))
"""


def test_the_default_client_uploads(client: Callable[..., Any], repo_id: str) -> None:
    found = client(UPLOADS.format(repo=repo_id, rows=f"{repo_id}-rows"))
    assert found["rows"] == 2000
    assert len(found["same"]) == 8 and all(found["same"].values()), found


def packed(content: bytes, scheme: int = 0) -> bytes:
    """A chunk as it is serialised."""
    body = content
    if scheme == 2:
        body = b"".join(content[place::4] for place in range(4))
    if scheme:
        body = lz4.frame.compress(body)
    return b"\0" + len(body).to_bytes(3, "little") + bytes([scheme]) + len(content).to_bytes(3, "little") + body


@given(st.lists(st.tuples(st.binary(max_size=300), st.sampled_from([0, 1, 2])), max_size=6), st.booleans())
def test_chunks_are_read_as_they_were_packed(chunks: list[tuple[bytes, int]], footer: bool) -> None:
    file = io.BytesIO(b"".join(packed(*chunk) for chunk in chunks) + b"XETBLOB\0more" * footer)
    assert list(xorb.read(file, xorb.places(file))) == [content for content, _ in chunks]


@given(st.binary(max_size=200))
def test_no_bytes_do_harm_as_a_xorb(content: bytes) -> None:
    file = io.BytesIO(content)
    try:
        list(xorb.read(file, xorb.places(file)))
    except xorb.BadXorb as error:
        assert "byte" in str(error)


def test_a_chunk_that_unpacks_to_more_than_it_says_is_refused() -> None:
    bomb = bytearray(packed(b"\0" * 1_000_000, scheme=1))
    bomb[5:8] = (100).to_bytes(3, "little")
    file = io.BytesIO(bomb)
    with pytest.raises(xorb.BadXorb, match="has 101 bytes, not 100"):
        list(xorb.read(file, xorb.places(file)))


def packed_shard(files: list[tuple[bytes, list[tuple[str, int, int]]]]) -> bytes:
    """A shard of files, each with its sha256 and its terms; verified, with a sha256."""

    def record(name: str) -> bytes:
        return struct.pack("<4Q", *(int(name[start : start + 16], 16) for start in range(0, 64, 16)))

    parts = [b"HFRepoMetaData".ljust(32, b"\1") + struct.pack("<QQ", 2, 0)]
    for sha256, terms in files:
        parts.append(bytes(32) + struct.pack("<II8x", 3 << 30, len(terms)))
        parts += [record(name) + struct.pack("<IIII", 0, 9, start, end) for name, start, end in terms]
        parts += [bytes(48)] * len(terms)
        parts.append(record(sha256.hex()) + bytes(16))
    return b"".join([*parts, b"\xff" * 32 + bytes(16)])


def test_a_shard_is_read() -> None:
    sha256 = hashlib.sha256(b"x").digest()
    content = packed_shard([(sha256, [(NAME, 0, 2), (NAME, 5, 6)]), (bytes(32), [])])
    assert shard.read_files(io.BytesIO(content)) == [
        ShardFile(sha256.hex(), [Term(NAME, 0, 2, 9), Term(NAME, 5, 6, 9)]),
        ShardFile("0" * 64, []),
    ]


@given(st.binary(max_size=400), st.integers(0, 300))
def test_no_bytes_do_harm_as_a_shard(content: bytes, cut: int) -> None:
    whole = packed_shard([(bytes(32), [(NAME, 0, 1)])])
    for sent in (content, whole[:cut] + content):
        try:
            shard.read_files(io.BytesIO(sent))
        except shard.BadShard as error:
            assert str(error)


@pytest.fixture
def stash(tmp_path: Path) -> Stash:
    blobs.prepare(tmp_path / "blobs")
    return Stash(tmp_path / "xet", tmp_path / "blobs")


def send(stash: Stash, name: str, *chunks: bytes) -> None:
    with stash.receiving() as file:
        file.write(b"".join(map(packed, chunks)))
        stash.keep(name, file)


def file_of(content: bytes, *terms: tuple[str, int, int]) -> ShardFile:
    return ShardFile(hashlib.sha256(content).hexdigest(), [Term(*term, size=0) for term in terms])


def content_of(tmp_path: Path, file: ShardFile) -> bytes:
    return blobs.path_of(tmp_path / "blobs", file.sha256).read_bytes()


def test_what_was_sent_goes_and_can_be_named_again(stash: Stash, tmp_path: Path) -> None:
    send(stash, NAME, b"ab", b"cd", b"ef")
    first = file_of(b"abcdef", (NAME, 0, 3))
    stash.assemble([first])
    assert content_of(tmp_path, first) == b"abcdef"
    assert [path.suffix for path in (tmp_path / "xet" / stash.era).iterdir()] == [".index"]
    again = Stash(tmp_path / "xet", tmp_path / "blobs")
    assert again.era == stash.era and again.has(NAME)
    second = file_of(b"efab", (NAME, 2, 3), (NAME, 0, 1))
    again.assemble([second])
    assert content_of(tmp_path, second) == b"efab"


def test_chunks_that_no_file_holds_yet_are_kept(stash: Stash, tmp_path: Path) -> None:
    send(stash, NAME, b"ab", b"cd")
    stash.assemble([file_of(b"ab", (NAME, 0, 1))])
    later = Stash(tmp_path / "xet", tmp_path / "blobs")
    file = file_of(b"cd", (NAME, 1, 2))
    later.assemble([file])
    assert content_of(tmp_path, file) == b"cd"


def test_a_file_that_is_there_already_frees_what_was_sent_for_it(stash: Stash, tmp_path: Path) -> None:
    blobs.write(tmp_path / "blobs", b"abcd")
    send(stash, NAME, b"ab", b"cd")
    stash.assemble([file_of(b"abcd", (NAME, 0, 2))])
    assert [path.suffix for path in (tmp_path / "xet" / stash.era).iterdir()] == [".index"]


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ([(NAME, 0, 1)], "its content has "),
        ([(NAME, 0, 3)], f"the xorb {NAME} has no chunks 0 to 3"),
        ([(NAME, 1, 1)], f"the xorb {NAME} has no chunks 1 to 1"),
        ([("cd" * 32, 0, 1)], f"the xorb {'cd' * 32} was not sent"),
    ],
)
def test_a_file_that_cannot_be_made_is_refused(
    stash: Stash, tmp_path: Path, terms: list[tuple[str, int, int]], said: str
) -> None:
    send(stash, NAME, b"ab", b"cd")
    with pytest.raises(Unassembled, match=said):
        stash.assemble([file_of(b"abcd", *terms)])
    assert not list((tmp_path / "blobs").glob("??/*"))
    # What was sent for it may be what is wrong: it can be sent again.
    assert stash.has(NAME) == (terms[0][0] != NAME)


def test_a_new_era_forgets(stash: Stash) -> None:
    send(stash, NAME, b"ab")
    before = stash.era
    assert stash.forget() == stash.era != before
    assert not stash.has(NAME)


def test_what_was_cut_off_or_left_is_swept_at_the_start(stash: Stash, tmp_path: Path) -> None:
    folder = tmp_path / "xet" / stash.era
    for name in ("a.part", "old.new", "young.new", "old.xorb", "old.index"):
        (folder / name).touch()
        if name.startswith("old"):
            os.utime(folder / name, (0, 0))
    Stash(tmp_path / "xet", tmp_path / "blobs")
    assert {path.name for path in folder.iterdir()} == {"young.new", "old.xorb", "old.index"}


@pytest.fixture
def address(api: HfApi, repo_id: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Where a client sends chunks, and its token's header."""
    api.create_repo(repo_id)
    found = get_session().get(
        f"{api.endpoint}/api/models/{repo_id}/xet-write-token/main", headers={"authorization": f"Bearer {api.token}"}
    )
    assert found.json()["casUrl"] == found.headers["X-Xet-Cas-Url"]
    yield found.json()["casUrl"], {"authorization": f"Bearer {found.json()['accessToken']}"}


def test_the_token_is_for_writers_alone(api: HfApi, address: tuple[str, dict[str, str]], repo_id: str) -> None:
    url, headers = address
    session = get_session()
    assert session.get(f"{api.endpoint}/api/models/{repo_id}/xet-write-token/main").status_code == 401
    assert (
        session.get(
            f"{api.endpoint}/api/models/a/absent/xet-write-token/main", headers={"authorization": f"Bearer {api.token}"}
        ).status_code
        == 404
    )
    for wrong in ({}, {"authorization": f"Bearer {api.token}"}, {"authorization": "Bearer 99999999999.00"}):
        assert session.post(f"{url}/v1/shards", content=b"", headers=wrong).status_code == 401
    assert session.post(f"{url}0/v1/shards", content=b"", headers=headers).status_code == 401  # another era
    assert session.get(f"{url}/v1/chunks/default-merkledb/{NAME}", headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        (f"/v1/xorbs/default/{NAME}", b"nonsense", "chunk 0 at byte 0 is no chunk"),
        ("/v1/xorbs/default/..%2F..%2Fetc", b"", "name"),
        ("/v1/shards", b"nonsense", "it is cut off"),
        ("/v1/shards", packed_shard([(bytes(32), [("ef" * 32, 0, 1)])]), "was not sent"),
    ],
)
def test_bodies_that_are_wrong_are_answered(
    address: tuple[str, dict[str, str]], path: str, body: bytes, said: str
) -> None:
    answer = get_session().post(address[0] + path, content=body, headers=address[1])
    assert answer.status_code == 400 and said in answer.json()["error"]


def test_too_much_is_refused(address: tuple[str, dict[str, str]]) -> None:
    answer = get_session().post(
        f"{address[0]}/v1/xorbs/default/{NAME}", content=bytes((66 << 20) + 1), headers=address[1]
    )
    assert answer.status_code == 400 and "may have 69,206,016" in answer.json()["error"]

"""Votes of visitors: what is kept and refused, and that none is lost, whatever becomes of the page or the Hub."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import feedback
import feedback_repo
import pytest
from datasets import load_dataset
from feedback import Feedback
from huggingface_hub import CommitScheduler, HfApi
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.filters.limits import Limits
from pipelines.filters.rules import personal
from tests.space.conftest import SPACE

ADAPTER, REVISION = "local/copywriter", "0" * 40
VOTE = {"kind": "like", "product": "제습기", "values": ["뽀송함"], "line": "장마는 창밖에서만"}
LIMITS = Limits()


class Problem(Exception):
    """A key of `messages`, and what its sentence says besides."""

    def __init__(self, key: str, **fields: Any) -> None:
        super().__init__(key)
        self.key, self.fields = key, fields


def is_personal(text: str) -> bool:
    return personal.check({"ad_copy": text, "product": "", "values": []}, LIMITS) is not None


@pytest.fixture
def opened(hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Feedback]]:
    """Opens a Feedback that commits every hour; a second one in the same folder is the page started anew."""
    monkeypatch.setattr(feedback, "Problem", Problem)
    made: list[Feedback] = []
    before = signal.getsignal(signal.SIGTERM)

    def open_one(repo: str, **options: Any) -> Feedback:
        options = {"personal": is_personal, "folder": tmp_path, "every": 60, "page": "v1"} | options
        made.append(Feedback(repo, ADAPTER, REVISION, "llama.cpp", **options))
        return made[-1]

    yield open_one
    signal.signal(signal.SIGTERM, before)
    for one in made:
        one.close()
        atexit.unregister(one.close)


def votes(repo: str) -> list[dict[str, Any]]:
    """All votes on the Hub, each line of them JSON."""
    api = HfApi()
    paths = [path for path in api.list_repo_files(repo, repo_type="dataset") if path.endswith(".jsonl")]
    texts = [Path(api.hf_hub_download(repo, path, repo_type="dataset")).read_text("utf-8") for path in paths]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def on_disk(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in folder.rglob("*.jsonl") for line in path.read_text("utf-8").splitlines()]


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


# What is kept.


def test_a_vote_is_exactly_this(opened: Callable[..., Feedback], tmp_path: Path) -> None:
    one = opened("local/votes-exact")
    one.keep(**VOTE)
    one.keep("edit", " 제습기\n", ("뽀송함", "여유"), "장마는 창밖에서만", "장마는 창밖에만", ["젖지 않는 집"], "en")
    like, edit = on_disk(tmp_path)
    assert len({like.pop("id"), edit.pop("id")}) == 2
    assert like.pop("day") == edit.pop("day") == time.strftime("%Y-%m-%d", time.gmtime())
    shared = {"adapter": ADAPTER, "revision": REVISION, "engine": "llama.cpp", "page": "v1"}
    assert like == VOTE | shared | {"edited": "", "others": [], "lang": "ko"}
    assert edit == shared | {
        "kind": "edit",
        "product": "제습기",
        "values": ["뽀송함", "여유"],
        "line": "장마는 창밖에서만",
        "edited": "장마는 창밖에만",
        "others": ["젖지 않는 집"],
        "lang": "en",
    }


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"kind": "love"}, "feedback_kind"),
        ({"kind": ["like"]}, "feedback_kind"),
        ({"kind": None}, "feedback_kind"),
        ({"product": ""}, "feedback_text"),
        ({"product": 3}, "feedback_text"),
        ({"product": "가" * 41}, "feedback_long"),
        ({"values": []}, "feedback_text"),
        ({"values": "뽀송함"}, "feedback_text"),
        ({"values": ["뽀송함", None]}, "feedback_text"),
        ({"values": ["가"] * 6}, "feedback_long"),
        ({"values": ["가" * 21]}, "feedback_long"),
        ({"line": "\x00\n\u202e"}, "feedback_text"),
        ({"line": "가" * 121}, "feedback_long"),
        ({"others": {"가": 1}}, "feedback_text"),
        ({"others": ["가"] * 25}, "feedback_long"),
        ({"others": [""]}, "feedback_text"),
        ({"kind": "edit"}, "feedback_text"),
        ({"kind": "edit", "edited": "  장마는  창밖에서만 "}, "feedback_same"),
        ({"kind": "edit", "edited": "가" * 121}, "feedback_long"),
        ({"kind": "edit", "edited": "문의는 010-1234-5678"}, "feedback_personal"),
        ({"product": "kim@example.com"}, "feedback_personal"),
        ({"values": ["900101-1234567"]}, "feedback_personal"),
        ({"others": ["전화 02-123-4567"]}, "feedback_personal"),
    ],
)
def test_what_is_refused(opened: Callable[..., Feedback], tmp_path: Path, changes: dict[str, Any], key: str) -> None:
    with pytest.raises(Problem) as caught:
        opened("local/votes-refused").keep(**VOTE | changes)
    assert caught.value.key == key
    assert on_disk(tmp_path) == []


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=130)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
FIELDS = VOTE | {"kind": "edit", "edited": "장마는 창밖에만", "others": ["젖지 않는 집"], "lang": "en"}
SENT = st.fixed_dictionaries({name: st.just(field) | ANY_TEXT | JSON for name, field in FIELDS.items()})


@settings(deadline=None, max_examples=300)
@given(SENT)
def test_whatever_is_sent_is_kept_whole_or_refused(sent: dict[str, Any]) -> None:
    kept: list[bytes] = []
    one = Feedback("", ADAPTER, None, "llama.cpp", personal=is_personal)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feedback, "Problem", Problem)
        patch.setattr(one, "off", False)
        patch.setattr(one, "_write", kept.append)
        try:
            one.keep(**sent)
        except Problem as problem:
            assert problem.key.startswith("feedback_") and not kept
            return
    (line,) = kept
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    vote = json.loads(line)
    assert list(vote) == list(feedback_repo.COLUMNS)
    texts = [vote["product"], *vote["values"], vote["line"], *vote["others"], *filter(None, [vote["edited"]])]
    assert all(text == " ".join(text.split()) and 0 < len(text) <= feedback.MAX_LINE for text in texts)


def test_without_a_repo_or_a_token_it_is_off(opened: Callable[..., Feedback], monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened("").off
    with pytest.raises(Problem, match="feedback_off"):
        opened("").keep(**VOTE)
    monkeypatch.delenv("HF_TOKEN")
    assert opened("local/votes-none").off


def test_a_full_disk_leaves_no_half_vote(
    opened: Callable[..., Feedback], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = opened("local/votes-full")
    one.keep(**VOTE)
    (path,) = tmp_path.rglob("*.jsonl")
    whole = path.read_bytes()
    path.chmod(0o600)
    real = Path.open

    def short(self: Path, *args: Any, **options: Any) -> Any:
        file = real(self, *args, **options)
        if "a" not in args[0]:
            return file

        class Full:
            __enter__, __exit__, tell, truncate = (
                lambda _: Full(),
                lambda *_: file.close(),
                lambda _: file.tell(),
                lambda _, end: file.truncate(end),
            )

            def write(self, line: bytes) -> int:
                return int(file.write(line[:7]))

        return Full()

    monkeypatch.setattr(Path, "open", short)
    with pytest.raises(Problem, match="feedback_failed"):
        one.keep(**VOTE)
    monkeypatch.undo()
    assert path.read_bytes() == whole


# Where it goes.


def test_the_dataset_is_private_and_loads_as_its_card_says(hub: Any, opened: Callable[..., Feedback]) -> None:
    one = opened("local/votes-card")
    one.keep(**VOTE)  # no others: an empty list alone has no type
    one.close()
    again = opened("local/votes-card")
    again.keep(**VOTE | {"others": ["젖지 않는 집"]})
    again.close()
    assert hub.api.repo_info("local/votes-card", repo_type="dataset").private
    rows = load_dataset("local/votes-card", split="train")
    assert rows.column_names == list(feedback_repo.COLUMNS)
    assert sorted(rows["others"][:]) == [[], ["젖지 않는 집"]]
    readme = hub.text(hub.resolve("hf://datasets/local/votes-card"), "README.md")
    assert all(words in readme for words in feedback_repo.CONSENT.values())


def test_the_card_is_written_once(hub: Any, opened: Callable[..., Feedback]) -> None:
    hub.api.create_repo("local/votes-own-card", repo_type="dataset", private=True)
    own = {"path_in_repo": "README.md", "repo_id": "local/votes-own-card", "repo_type": "dataset"}
    hub.api.upload_file(path_or_fileobj=b"# mine\n", **own)
    one = opened("local/votes-own-card")
    one.keep(**VOTE)
    one.close()
    assert len(votes("local/votes-own-card")) == 1
    assert hub.text(hub.resolve("hf://datasets/local/votes-own-card"), "README.md") == "# mine\n"


def test_a_public_dataset_keeps_nothing(
    hub: Any, opened: Callable[..., Feedback], capsys: pytest.CaptureFixture[str]
) -> None:
    hub.api.create_repo("local/votes-public", repo_type="dataset")
    one = opened("local/votes-public")
    wait_until(lambda: one.off)
    with pytest.raises(Problem, match="feedback_off"):
        one.keep(**VOTE)
    assert "make it private" in capsys.readouterr().err


def test_only_what_has_grown_is_committed(hub: Any, opened: Callable[..., Feedback]) -> None:
    one = opened("local/votes-grown")
    wait_until(lambda: one._scheduler is not None)
    scheduler = one._scheduler
    assert isinstance(scheduler, CommitScheduler)
    scheduler.trigger().result()
    assert votes("local/votes-grown") == []
    one.keep(**VOTE)
    scheduler.trigger().result()
    commits = len(hub.api.list_repo_commits("local/votes-grown", repo_type="dataset"))
    scheduler.trigger().result()
    assert len(hub.api.list_repo_commits("local/votes-grown", repo_type="dataset")) == commits
    one.keep(**VOTE)
    path = one._file
    os.utime(path, ns=(0, 0))  # whatever the clock says
    scheduler.trigger().result()
    assert len(votes("local/votes-grown")) == 2


def test_a_commit_that_fails_is_made_up_for(
    opened: Callable[..., Feedback], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = opened("local/votes-failing")
    wait_until(lambda: one._scheduler is not None)
    scheduler = one._scheduler
    commit, scheduler.api.create_commit = scheduler.api.create_commit, lambda *_, **__: 1 / 0
    one.keep(**VOTE)
    assert scheduler.trigger().result() is None
    assert "not committed yet" in capsys.readouterr().err and scheduler.behind
    assert len(on_disk(tmp_path)) == 1 and votes("local/votes-failing") == []
    scheduler.api.create_commit = commit
    scheduler.trigger().result()
    assert len(votes("local/votes-failing")) == 1 and not scheduler.behind


def test_the_next_process_commits_what_one_that_was_killed_has_left(
    opened: Callable[..., Feedback], tmp_path: Path
) -> None:
    folder = tmp_path / "local--votes-left"
    folder.mkdir()
    (folder / "old.jsonl").write_text(json.dumps(VOTE) + "\n")
    one = opened("local/votes-left")
    wait_until(lambda: one._scheduler is not None)
    wait_until(lambda: "feedback/old.jsonl" in one._api.list_repo_files("local/votes-left", repo_type="dataset"))
    feedback_repo.push_left(one._api, "local/votes-left", one._file)  # it is there already
    titles = [commit.title for commit in one._api.list_repo_commits("local/votes-left", repo_type="dataset")]
    assert titles.count(feedback_repo.TITLE) == 1


def test_what_another_process_has_committed_more_of_stays(hub: Any, opened: Callable[..., Feedback]) -> None:
    one, other = opened("local/votes-two"), opened("local/votes-two")
    for each in (one, other):
        each.keep(**VOTE)
    one.close()
    other.keep(**VOTE)
    other.close()
    assert len(votes("local/votes-two")) == 3
    feedback_repo.push_left(hub.api, "local/votes-two", one._file)
    assert len(votes("local/votes-two")) == 3


# How it ends.

SCRIPT = """
import sys, threading
sys.path.insert(0, {space!r})
from feedback import Feedback
feedback = Feedback({repo!r}, "local/a", None, "llama.cpp", personal=lambda text: False, every=0.001)
def post(first):
    for number in range(first, {votes}, 8):
        try:
            feedback.keep("like", "제습기", ["뽀송함"], f"장마는 창밖에서만 {{number}}")
        except Exception:
            return
        sys.stdout.write(f"{{number}}\\n")
        sys.stdout.flush()
threads = [threading.Thread(target=post, args=(first,), daemon=True) for first in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
{ending}
"""


def run_page(repo: str, home: Path, ending: str, endpoint: str | None = None) -> subprocess.Popen[str]:
    script = SCRIPT.format(space=str(SPACE), repo=repo, votes=200, ending=ending)
    environment = os.environ | {"HF_HOME": str(home), "HF_ENDPOINT": endpoint or os.environ["HF_ENDPOINT"]}
    return subprocess.Popen(
        [sys.executable, "-c", script],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def acknowledged(page: subprocess.Popen[str], count: int) -> list[int]:
    return [int(page.stdout.readline()) for _ in range(count)]


@pytest.mark.parametrize("after", [200, 40], ids=["all", "midway"])
def test_stopped_by_sigterm_all_votes_are_there_each_once(hub: Any, tmp_path: Path, after: int) -> None:
    repo = f"local/votes-sigterm-{after}"
    page = run_page(repo, tmp_path, "threading.Event().wait()")
    said = acknowledged(page, after)
    page.send_signal(signal.SIGTERM)
    rest, errors = page.communicate(timeout=60)
    assert page.returncode == -signal.SIGTERM, errors
    numbers = sorted(int(vote["line"].split()[-1]) for vote in votes(repo))
    assert len(set(numbers)) == len(numbers)
    assert {*said, *map(int, rest.split())} <= set(numbers)
    if after == 200:
        assert numbers == list(range(200))


@pytest.mark.parametrize(
    "ending", ["", "raise SystemExit(3)", "import signal, os; os.kill(os.getpid(), signal.SIGINT)"]
)
def test_a_process_that_ends_by_itself_commits_too(hub: Any, tmp_path: Path, ending: str) -> None:
    repo = f"local/votes-end-{len(ending)}"
    page = run_page(repo, tmp_path, ending)
    _, errors = page.communicate(timeout=60)
    assert len(votes(repo)) == 200, errors


FORK = """
ready, tell = os.pipe()
child = os.fork()
if child == 0:
    os.write(tell, b"!")  # Python forgets signals that come while it forks
    time.sleep(60)
    os._exit(1)
os.read(ready, 1)
started = time.monotonic()
os.kill(child, signal.SIGTERM)
_, status = os.waitpid(child, 0)
assert os.WTERMSIG(status) == signal.SIGTERM, status
assert time.monotonic() - started < 10, time.monotonic() - started
"""


def test_a_fork_ends_at_once_and_commits_nothing(hub: Any, tmp_path: Path) -> None:
    page = run_page("local/votes-fork", tmp_path, f"import os, signal, time{FORK}")
    _, errors = page.communicate(timeout=60)
    assert page.returncode == 0, errors
    assert len(votes("local/votes-fork")) == 200


def test_without_a_hub_the_page_runs_and_the_votes_stay(
    hub: Any, tmp_path: Path, free_port: int, opened: Callable[..., Feedback]
) -> None:
    page = run_page("local/votes-down", tmp_path, "threading.Event().wait()", f"http://127.0.0.1:{free_port}")
    acknowledged(page, 200)
    page.send_signal(signal.SIGTERM)
    _, errors = page.communicate(timeout=60)
    assert page.returncode == -signal.SIGTERM and "the votes stay in" in errors and "Traceback" not in errors
    assert len(on_disk(tmp_path)) == 200
    opened("local/votes-down", folder=tmp_path / "hanjul-feedback")  # once it is up again
    wait_until(lambda: HfApi().repo_exists("local/votes-down", repo_type="dataset"))
    wait_until(lambda: len(votes("local/votes-down")) == 200)


def test_a_handler_that_was_there_before_is_called_after(hub: Any, opened: Callable[..., Feedback]) -> None:
    called = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: called.set())
    one = opened("local/votes-handler")
    one.keep(**VOTE)
    os.kill(os.getpid(), signal.SIGTERM)
    assert called.wait(1) and len(votes("local/votes-handler")) == 1

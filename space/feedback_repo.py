"""The private dataset that votes of visitors are committed to: when, which files, and its card."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

from huggingface_hub import CommitInfo, CommitOperationAdd, CommitScheduler, HfApi
from huggingface_hub.hf_api import RepoFile

FOLDER = "feedback"  # in the repo
TITLE = "Votes of visitors"  # of a commit

#: What the page says beside the buttons, and the card again.
CONSENT: dict[str, str] = {
    language: texts["consent"]
    for language, texts in json.loads(
        (Path(__file__).absolute().parent / "page" / "texts.json").read_text(encoding="utf-8")
    ).items()
}
#: Column -> what it holds.
COLUMNS = {
    "id": "무작위 32자리 · random",
    "day": "날짜, UTC · the day",
    "kind": "like, dislike, edit",
    "product": "상품 · product",
    "values": "담을 가치 · values",
    "line": "모델이 쓴 카피 · the line that the model wrote",
    "edited": "방문자가 고친 글, edit가 아니면 빈 문자열 · what the visitor made of it, else empty",
    "others": "함께 보여 준 다른 카피 · lines shown beside it",
    "adapter": "카피를 쓴 어댑터 · the adapter that wrote",
    "revision": "그 커밋 · its commit",
    "engine": "추론 엔진 · what it ran on",
    "lang": "화면 언어 · language of the page",
    "page": "화면 버전 · version of the page",
}
#: Of those that are no text. The day, too: `datasets` reads a text that looks like one as a moment.
TYPES = {"day": "dtype: date32", "values": "list: string", "others": "list: string"}


class Scheduler(CommitScheduler):
    """Commits a file that grows, every few minutes.

    By its size: by the time of its last change, as the client goes, a vote would be passed over that was added within
    the same tick of the clock as one that was committed. The history is kept, as imports are pinned to its commits.

    Args:
        repo: there is one, and it is private.
        file: where the votes are on this disk.
        content: reads them, whole lines only.
        say: tells of a failure.
        every: minutes.
    """

    def __init__(
        self,
        repo: str,
        file: Path,
        content: Callable[[], bytes],
        say: Callable[[Exception], None],
        every: float,
        api: HfApi,
    ) -> None:
        self._name, self._content, self._say = f"{FOLDER}/{file.name}", content, say
        self._committed = 0  # bytes
        self._pushing = threading.Lock()  # or what is older could arrive later
        super().__init__(
            repo_id=repo, folder_path=file.parent, every=every, repo_type="dataset", private=True, hf_api=api
        )

    @property
    def behind(self) -> bool:
        """Whether there are votes that no commit has."""
        return len(self._content()) > self._committed

    def push_to_hub(self) -> CommitInfo | None:
        """Commit the file if it has grown. A failure is said; the next call makes up for it."""
        with self._pushing:
            content = self._content()
            if len(content) == self._committed:
                return None
            try:
                operations = [CommitOperationAdd(self._name, content)]
                if not self.api.file_exists(self.repo_id, "README.md", repo_type=self.repo_type):
                    operations.append(CommitOperationAdd("README.md", card(self.repo_id).encode()))
                done = self.api.create_commit(self.repo_id, operations, commit_message=TITLE, repo_type=self.repo_type)
            except Exception as error:  # nobody waits for the answer: it is said, and the votes are on the disk
                self._say(error)
                return None
            self._committed = len(content)
            return done


def push_left(api: HfApi, repo: str, own: Path) -> None:
    """Commit what earlier processes on this disk could not: files beside our own that are larger than on the Hub.

    On the very head that was looked at: such a process may still run, and what it commits meanwhile is newer.
    """
    left = {f"{FOLDER}/{path.name}": path for path in own.parent.glob("*.jsonl") if path != own}
    if not left:
        return
    head = api.repo_info(repo, repo_type="dataset").sha
    found = api.get_paths_info(repo, list(left), repo_type="dataset", revision=head)
    there = {entry.path: entry.size for entry in found if isinstance(entry, RepoFile)}
    more = [CommitOperationAdd(name, path) for name, path in left.items() if path.stat().st_size > there.get(name, 0)]
    if more:
        api.create_commit(repo, more, commit_message=TITLE, repo_type="dataset", parent_commit=head)


def card(repo: str) -> str:
    """The README of the dataset."""
    features = "".join(f"  - name: {name}\n    {TYPES.get(name, 'dtype: string')}\n" for name in COLUMNS)
    columns = "".join(f"| `{name}` | {meaning} |\n" for name, meaning in COLUMNS.items())
    return (
        "---\nlanguage: ko\npretty_name: '한 줄 Hanjul: 방문자 평가'\ntags: [hanjul, korean, human-feedback]\n"
        "configs:\n- config_name: feedback\n  data_files:\n  - split: train\n"
        f"    path: {FOLDER}/*.jsonl\n  default: true\n"
        f"dataset_info:\n- config_name: feedback\n  features:\n{features}---\n\n# {repo}\n\n"
        "데모를 쓰는 분들이 카피에 남긴 좋아요, 싫어요와 고친 글입니다. 거르지 않은 글이니 공개하지 마세요.\n\n"
        "Likes, dislikes and edits that visitors of the demo left. Nothing is filtered: keep it private.\n\n"
        f"> {CONSENT['ko']}\n>\n> {CONSENT['en']}\n\n| 열 · column | 뜻 · meaning |\n|---|---|\n{columns}\n"
        f"```bash\nhanjul import hf://datasets/{repo}\n```\n"
    )

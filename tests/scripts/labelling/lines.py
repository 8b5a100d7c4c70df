"""An evaluation whose lines people vote on."""

from __future__ import annotations

from huggingface_hub import CommitOperationAdd, HfUri

from model_card.cards.card import DATA
from model_card.comparison.report import Line, Report, System

#: product, values, what the first system wrote, what the second one wrote.
PAIRS = [
    ("제습기", ("뽀송함", "여유"), "비가 와도 우리 집은 맑음", "장마에도 빨래는 제시간에 마른다"),
    ("독립 서점", ("발견", "고요"), "찾던 책은 없어도 찾던 오후가 있다", "골목 끝에서 책 한 권이 손을 든다"),
    ("향초", ("쉼",), "불을 켜면 하루가 꺼진다", "촛불만큼만 밝은 저녁"),
    ("자전거", ("자유",), "길이 먼저 달려 나온다", "페달을 밟으면 동네가 넓어진다"),
    (
        "<b>빵집</b>",
        ("{{value}}", "${1+1}"),
        "`x` ${hit=1} {{#each value}}<img src=x onerror=hit=1>빵",
        "@children</button>빵",
    ),
]


def report(pairs=PAIRS, names: tuple[str, str] = ("base", "adapter"), broken: str = "") -> Report:
    systems = []
    for place, name in enumerate(names):
        lines = tuple(
            Line("", pair[0], pair[1], pair[2 + place], {}, False, pair[2 + place] == broken, "") for pair in pairs
        )
        systems.append(System(name, f"us/{name}", "0123456789" * 4, 0.0, 0.0, 0.0, {}, 10.0, None, lines))
    return Report("us/copy", "0" * 40, "test", len(pairs), 100, 0, tuple(systems), ())


def upload(hub, repo: str, content: str) -> HfUri:
    """A model repo with this as its evaluation, pinned."""
    name = f"{hub.namespace}/{repo}"
    hub.api.create_repo(name, exist_ok=True)
    commit = hub.api.create_commit(name, [CommitOperationAdd(DATA, content.encode())], commit_message="evaluate")
    return HfUri(type="model", id=name, revision=commit.oid)

"""The contrast set: good lines, each beside one that was perturbed on purpose or that a model wrote badly."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

from model_card.judging.contrast_kinds import MODEL_MADE
from model_card.judging.graded import GradedLine, is_unusable, is_usable
from model_card.judging.perturbations import wrong_ending
from pipelines.errors import HanjulError
from pipelines.rows import Scorable
from pipelines.text.particles import topic_particle

#: Held-out rows from which on all slogans and lines by models stand beside them; beside fewer, fewer in proportion.
WHOLE = 32
#: Most unusable lines by models: a likelihood judge reads three or four lines a second on two cores.
MOST_MODEL_MADE = 100

#: Lines that could stand under any product. None of them is among `pipelines.likelihood.prompts.GENERIC_LINES`.
CLICHES = (
    "지금 바로 만나보세요",
    "당신의 일상을 특별하게",
    "새로운 시작을 함께하세요",
    "완벽한 선택, 그 이상의 가치",
    "최고의 품질을 경험하세요",
    "오늘부터 달라지는 나를 느껴보세요",
    "더 나은 내일을 위한 선택",
    "고객님의 만족을 약속드립니다",
    "당신만을 위한 특별한 선물",
    "품격이 다른 프리미엄의 시작",
    "오직 지금, 놓칠 수 없는 기회",
    "작은 변화가 만드는 큰 차이",
    "믿음으로 보답하는 기업이 되겠습니다",
    "차원이 다른 경험을 선사합니다",
    "소중한 사람과 함께하는 행복한 시간",
    "누구나 쉽게, 언제나 편하게",
    "최고가 만들면 다릅니다",
    "고객과 함께 성장하겠습니다",
    "선택이 아닌 필수입니다",
    "하나부터 열까지 완벽하게",
    "삶의 질을 높이는 현명한 선택",
    "한 번 써 보면 압니다",
    "모두가 만족하는 최상의 서비스",
    "내일이 기대되는 오늘",
)


@dataclass(frozen=True)
class Contrast:
    """A good row and a bad one: for the same pair, with the same line, or both written by models.

    Attributes:
        kind: how the bad one was made, a key of `contrast_kinds`.
        origin: which good row it is, the same number in all contrasts that it stands in.
    """

    kind: str
    origin: int
    good: Scorable
    bad: Scorable


def build_contrast_set(
    rows: Sequence[Scorable], slogans: Sequence[Scorable], graded: Sequence[GradedLine], seed: int
) -> list[Contrast]:
    """Contrasts of a good and a bad row.

    Held-out rows stand against the line of another product, the line with values of another product, the line with its
    words shuffled, with one wrong particle or ending, and `{product}는 {value}합니다`; real slogans against a cliché.
    Slogans are not shuffled: many play with the order of words, and stay good in another. What cannot be made of a line
    is left out. Usable lines by models stand against unusable ones, at most `MOST_MODEL_MADE`. Beside fewer
    than `WHOLE` rows slogans and lines by models are fewer, too: who wants a small set pays for a small one.

    Args:
        rows: held-out rows of at least two products.
        slogans: real ones, with the product and the values that they advertise.
        graded: lines of the part `test`; those that models wrote are taken.

    Raises:
        HanjulError: fewer than two products.
    """
    if len({row["product"] for row in rows}) < 2:
        raise HanjulError("A contrast set needs rows of at least two products", next_step="calibrate on a larger split")
    rng, share = random.Random(seed), min(1.0, len(rows) / WHOLE)
    if share < 1:
        slogans = rng.sample(slogans, round(share * len(slogans)))
    contrasts: list[Contrast] = []
    for origin, row in enumerate(rows):
        contrasts += [Contrast(kind, origin, row, bad) for kind, bad in _perturbed(row, rows, rng)]
    for number, slogan in enumerate(slogans):
        cliche = CLICHES[number % len(CLICHES)]
        if cliche != slogan["ad_copy"]:
            contrasts.append(Contrast("worn_out", len(rows) + number, slogan, _with_line(slogan, cliche)))
    models = [line for line in graded if line.kind == "model"]
    most = round(share * MOST_MODEL_MADE)
    return [*contrasts, *model_made(models, rng, first=len(rows) + len(slogans), most=most)]


def model_made(lines: Sequence[GradedLine], rng: random.Random, *, first: int = 0, most: int) -> Iterator[Contrast]:
    """Each unusable line once, beside a usable one whatever its pair; few are usable, so these come round again.

    Args:
        first: origin of the first usable line.
        most: unusable lines; more are drawn at random.
    """
    usable = [line.row for line in lines if is_usable(line)]
    unusable = [line.row for line in lines if is_unusable(line)]
    drawn = rng.sample(unusable, min(most, len(unusable)))
    rng.shuffle(usable)
    for (origin, good), bad in zip(cycle(enumerate(usable, first)), drawn, strict=False):
        yield Contrast(MODEL_MADE, origin, good, bad)


def shuffled(line: str, rng: random.Random) -> str | None:
    """The line with its words in another order, None where there is no other."""
    words = line.split()
    if len(set(words)) < 2:
        return None
    mixed = words[:]
    while mixed == words:
        rng.shuffle(mixed)
    return " ".join(mixed)


def template(product: str, values: Sequence[str]) -> str:
    """`{product}는 {value}합니다`, with the particle that the product's last letter asks for."""
    return f"{product}{topic_particle(product)} {values[0]}합니다"


def _perturbed(row: Scorable, rows: Sequence[Scorable], rng: random.Random) -> Iterator[tuple[str, Scorable]]:
    """(kind, perturbed row) of each kind that can be made of a row."""
    others = [other for other in rows if other["product"] != row["product"] and other["ad_copy"] != row["ad_copy"]]
    if others:
        yield "other_product", _with_line(row, rng.choice(others)["ad_copy"])
    other_values = [other["values"] for other in others if not set(other["values"]) & set(row["values"])]
    if other_values:
        values = rng.choice(other_values)
        yield "other_value", {"product": row["product"], "values": values, "ad_copy": row["ad_copy"]}
    if (mixed := shuffled(row["ad_copy"], rng)) is not None:
        yield "shuffled", _with_line(row, mixed)
    if (wrong := wrong_ending(row["ad_copy"], rng)) is not None:
        yield "wrong_ending", _with_line(row, wrong)
    yield "template", _with_line(row, template(row["product"], row["values"]))


def _with_line(row: Scorable, line: str) -> Scorable:
    return {"product": row["product"], "values": row["values"], "ad_copy": line}

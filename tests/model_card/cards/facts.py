"""Facts that several tests share: two systems on three pairs, judged by one judge whose Creativity is unreliable."""

from dataclasses import replace

from model_card.cards.facts import CardFacts, HeldOut, ReleaseFacts, TrainingFacts
from model_card.comparison.report import Difference, Judgement, Line, PairwiseComparison, Report, System
from model_card.judging.facts import Calibration, JudgeFacts, KindAccuracy, Verdict
from model_card.statistics import Interval
from pipelines.metrics import METRICS

ADAPTER = "hanjul-team/hanjul-gemma-3-270m-lora"
RELEASE = ReleaseFacts(ADAPTER, "google/gemma-3-270m", "b" * 40, "hanjul-team/hanjul-copy", "d" * 40, "gemma")
TRAINING = TrainingFacts(
    512,
    {"repo": "hanjul-gemma-3-270m-lora", "base_model": "google/gemma-3-270m", "epochs": 3.0, "learning_rate": 4e-4},
    HeldOut(4.25, 2.55, 5120),
    7.94,
)
PAIRS = (
    ("우산", ("든든한",), "비가 | 와도 괜찮은 하루"),
    ("제습기", ("보송한", "조용한"), "장마는 창밖에서만"),
    ("이어폰", ("몰입",), "나만 <b>듣는</b> *파도*"),
)


def around(value: float, spread: float = 0.1) -> Interval:
    return Interval(value, value - spread, value + spread)


def calibration(auc: float, metric: str = "pv") -> Calibration:
    """The first kind of bad line is told 0.1 better than the second, and lines by models as well as all together."""
    offsets = (0.05, -0.05, 0.0) if len(METRICS[metric].contrasts) == 3 else (0.0,)
    kinds = {
        kind: KindAccuracy(auc + offset, 0.97, 150)
        for kind, offset in zip(METRICS[metric].contrasts, offsets, strict=True)
    }
    return Calibration(2.0, 0.5, around(auc, 0.04), around(0.97, 0.02), kinds, 400, auc >= 0.75)


JUDGE = JudgeFacts(
    "google/gemma-3-270m@bbbbbbb",
    "likelihood",
    "likelihood",
    1,
    {metric: calibration(auc, metric) for metric, auc in {"pv": 0.9, "naturalness": 0.78, "creativity": 0.6}.items()},
)


def system(name: str, model: str, score: float, judges: tuple[str, ...] = (JUDGE.name,)) -> System:
    """Scores rise by 0.1 from line to line; the last one leaks and repeats a training row."""
    lines = tuple(
        Line(
            f"상품: {product}\n가치: {', '.join(values)}",
            product,
            values,
            line,
            {
                judge: Verdict(dict.fromkeys(METRICS, score + n / 10), dict.fromkeys(METRICS, f"{name} {n}번 이유"))
                for judge in judges
            },
            n == 2,
            False,
            "나만 듣는 파도" if n == 2 else "",
        )
        for n, (product, values, line) in enumerate(PAIRS)
    )
    distinct = {"1": 0.7, "2": 0.9, "3": 1.0}
    return System(name, model, "a" * 40, 1 / 3, 0.0, 1 / 3, distinct, 12.3, 31.4, lines)


def judgement(judge: JudgeFacts, scores: dict[str, float]) -> Judgement:
    """What a judge says of systems whose lines score `scores` and more."""
    names = list(scores)
    duels = tuple(
        PairwiseComparison(
            later,
            earlier,
            0.6,
            0.1,
            0.3,
            {metric: Difference(around(scores[later] - scores[earlier], 0.09), 0.0002, 0.0006) for metric in METRICS},
        )
        for place, later in enumerate(names)
        for earlier in names[:place]
    )
    return Judgement(
        judge,
        {name: dict.fromkeys(METRICS, around(score + 0.1)) for name, score in scores.items()},
        {name: dict.fromkeys(METRICS, 0.1) for name in names},
        duels,
        {name: around(place - (len(names) - 1) / 2, 0.4) for place, name in enumerate(names)},
    )


REPORT = Report(
    dataset="hanjul-team/hanjul-copy",
    dataset_revision="d" * 40,
    dataset_split="test",
    pairs=3,
    bootstrap=2000,
    seed=7,
    systems=(system("base, 4 examples", "google/gemma-3-270m", 0.2), system("adapter", ADAPTER, 0.6)),
    judgements=(judgement(JUDGE, {"base, 4 examples": 0.2, "adapter": 0.6}),),
)
FACTS = CardFacts(RELEASE, TRAINING, REPORT)


def wide_report(names: list[str], judges: list[JudgeFacts]) -> Report:
    """One system for each name, the last one the adapter; its scores rise from system to system."""
    scores = {name: 0.7 * place / len(names) for place, name in enumerate(names)}
    systems = tuple(
        system(name, ADAPTER if name == names[-1] else f"team/{place}", scores[name], tuple(j.name for j in judges))
        for place, name in enumerate(names)
    )
    return replace(REPORT, systems=systems, judgements=tuple(judgement(judge, scores) for judge in judges))

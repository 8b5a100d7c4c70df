"""Facts that several tests share: two systems on three pairs, Creativity unreliable."""

from model_card.facts import (
    METRICS,
    Calibration,
    CardFacts,
    Difference,
    HeldOut,
    Interval,
    Line,
    ReleaseFacts,
    Report,
    System,
    TrainingFacts,
)

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


def calibration(auc: float) -> Calibration:
    return Calibration(2.0, 0.5, auc, auc - 0.05, auc + 0.04, 0.97, {"other_product": auc}, 64, auc >= 0.75)


def system(name: str, model: str, score: float) -> System:
    lines = tuple(
        Line(f"상품: {p}\n가치: {', '.join(v)}", p, v, line, dict.fromkeys(METRICS, score + n / 10), n == 2, False)
        for n, (p, v, line) in enumerate(PAIRS)
    )
    mean = Interval(score + 0.1, score, score + 0.2)
    return System(
        name, model, "a" * 40, dict.fromkeys(METRICS, mean), dict.fromkeys(METRICS, 0.1), 1 / 3, 0.0, 0.9, 12.3, lines
    )


REPORT = Report(
    judge="google/gemma-3-270m@bbbbbbb",
    dataset="hanjul-team/hanjul-copy",
    dataset_revision="d" * 40,
    dataset_split="test",
    pairs=3,
    bootstrap=2000,
    seed=7,
    systems=(system("base, 4 examples", "google/gemma-3-270m", 0.2), system("adapter", ADAPTER, 0.6)),
    differences=(Difference("adapter", "base, 4 examples", dict.fromkeys(METRICS, Interval(0.4, 0.31, 0.49))),),
    calibration={"pv": calibration(0.9), "naturalness": calibration(0.88), "creativity": calibration(0.6)},
)
FACTS = CardFacts(RELEASE, TRAINING, REPORT)

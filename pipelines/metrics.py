"""The metrics that a line of copy is judged by, each declared once: columns, tables, figures and questions follow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One thing that a line is scored for, 0..1, higher is better.

    Attributes:
        key: its column in `scores`, and its key in reports.
        name: in English, as tables show it and as its deepeval class is called.
        korean: its name in Korean.
        question: what it asks of a line, in English.
        comparison: what people are asked about two lines, in Korean.
        contrasts: kinds of bad line that it has to tell from good ones, keys of `model_card.judging.contrast_kinds`.
        low, middle, high: what a score in each third of the scale says, in Korean, for judges that give no reasons.
    """

    key: str
    name: str
    korean: str
    question: str
    comparison: str
    contrasts: tuple[str, ...]
    low: str
    middle: str
    high: str


#: By key, in the order in which they are shown.
METRICS: dict[str, Metric] = {
    metric.key: metric
    for metric in (
        Metric(
            key="pv",
            name="PV",
            korean="상품·가치 반영",
            question="Are the product and the values reflected in the line?",
            comparison="어느 카피가 상품과 가치를 더 잘 담았나요?",
            contrasts=("other_product", "other_value", "model_made"),
            low="다른 상품에 붙여도 될 만큼 상품도 가치도 드러나지 않습니다.",
            middle="상품과 가치가 일부만 드러납니다.",
            high="바로 이 상품과 가치를 두고 쓴 카피로 읽힙니다.",
        ),
        Metric(
            key="naturalness",
            name="Naturalness",
            korean="자연스러움",
            question="Is the line natural, in grammar and in meaning?",
            comparison="어느 카피가 더 자연스러운가요?",
            contrasts=("shuffled", "wrong_ending", "model_made"),
            low="어순이 어색하거나 낱말이 매끄럽게 이어지지 않습니다.",
            middle="뜻은 통하지만 어색한 데가 있습니다.",
            high="문장이 자연스럽게 읽힙니다.",
        ),
        Metric(
            key="creativity",
            name="Creativity",
            korean="창의성",
            question="Is the line something else than product and value in a sentence, or a cliché?",
            comparison="어느 카피가 더 새로운가요?",
            contrasts=("template", "worn_out", "model_made"),
            low="상품과 가치를 그대로 옮겼거나 상투어에 가깝습니다.",
            middle="새로운 데가 있지만 익숙한 표현에 기대고 있습니다.",
            high="상투적인 문장과 뚜렷이 다릅니다.",
        ),
        Metric(
            key="sense",
            name="Sense",
            korean="쓸 만함",
            question="Does the line mean something, and of this product?",
            comparison="어느 카피가 더 쓸 만한가요?",
            contrasts=("model_made",),
            low="무슨 말인지 알 수 없거나 이 상품의 카피로는 말이 되지 않습니다.",
            middle="뜻은 짐작되지만 이 상품의 카피로 쓰기에는 억지스럽습니다.",
            high="무슨 말인지 바로 읽히고 이 상품의 카피로 쓸 만합니다.",
        ),
    )
}

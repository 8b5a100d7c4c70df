"""What a teacher's terms say about what it wrote, in short; the pages linked have the whole and may have changed."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Terms:
    """The terms of a family of models.

    Attributes:
        family: regular expression that finds the family in a model's name, in small letters.
    """

    family: str
    korean: str
    english: str


_GEMMA = "https://ai.google.dev/gemma/terms"
_GEMMA_USES = "https://ai.google.dev/gemma/prohibited_use_policy"
_OPENAI = "https://openai.com/policies/services-agreement/"
_LLAMA = "https://www.llama.com/llama3_3/license/"

TERMS = (
    Terms(
        "gemma",
        f"교사 모델이 Gemma 계열이라 [Gemma 이용 약관]({_GEMMA})이 함께 적용됩니다. Google은 출력물의 권리를 주장하지"
        " 않지만, 출력물로 학습시켜 Gemma와 비슷하게 동작하게 한 모델은 Gemma의 파생 모델로 보며"
        f" [금지된 사용 정책]({_GEMMA_USES})도 따라야 합니다.",
        f"The teacher derives from Gemma, so the [Gemma Terms of Use]({_GEMMA}) apply as well: Google claims no rights"
        " in outputs, but a model trained on them to perform like Gemma counts as a Gemma derivative and inherits the"
        f" [prohibited uses]({_GEMMA_USES}).",
    ),
    Terms(
        r"\bgpt-|\bchatgpt|\bo[134](?:-|\b)",
        f"교사 모델이 OpenAI의 모델이라 [OpenAI 서비스 약관]({_OPENAI})이 함께 적용됩니다. 출력물의 권리는 이용자에게"
        " 있지만, 출력물로 OpenAI와 경쟁하는 모델을 만드는 일은 금지되어 있습니다.",
        f"The teacher is a model of OpenAI, so the [OpenAI Services Agreement]({_OPENAI}) applies as well: outputs"
        " belong to the customer, but must not be used to develop models that compete with OpenAI.",
    ),
    Terms(
        r"\bllama",
        f"교사 모델이 Llama 계열이라 [Llama 커뮤니티 라이선스]({_LLAMA})가 함께 적용됩니다. 출력물로 학습시킨 모델을"
        " 배포하려면 이름을 ‘Llama’로 시작해야 합니다. 버전마다 조건이 다르니 교사 모델의 라이선스를 확인해 주세요.",
        f"The teacher is a Llama, so the [Llama Community License]({_LLAMA}) applies as well: the name of a model that"
        ' was trained on outputs and is distributed must begin with "Llama". Versions differ; read the teacher\'s.',
    ),
)
UNKNOWN = Terms(
    "",
    "교사 모델 제공자의 약관이 출력물을 어디까지 쓰도록 허락하는지 확인해 주세요.",
    "Check what the terms of the teacher's provider allow you to do with its outputs.",
)


def terms_of(*models: str) -> tuple[Terms, ...]:
    """The terms that any of the model names falls under; those of nobody in particular where none is known."""
    names = " ".join(models).lower()
    return tuple(terms for terms in TERMS if re.search(terms.family, names)) or (UNKNOWN,)

"""What the licence of a base model means for an adapter trained on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Licence:
    """A licence as cards speak of it.

    Attributes:
        id: the Hub's identifier.
        notice: text of the `NOTICE` file that has to travel with the weights, empty where none has to.
    """

    id: str
    name: str
    link: str
    ko: str
    en: str
    notice: str = ""


_GEMMA_TERMS = "https://ai.google.dev/gemma/terms"
_GEMMA_POLICY = "https://ai.google.dev/gemma/prohibited_use_policy"

LICENCES = {
    licence.id: licence
    for licence in (
        Licence(
            "gemma",
            "Gemma Terms of Use",
            _GEMMA_TERMS,
            "기반 모델이 Gemma이므로 이 어댑터는 Gemma의 파생 모델입니다. 쓰거나 다시 배포하는 사람은 "
            f"Gemma 이용 약관과 [금지된 사용 정책]({_GEMMA_POLICY})을 지켜야 하고, 다시 배포할 때는 약관 사본과 "
            "`NOTICE` 파일을 함께 전하고 고친 사실을 밝혀야 합니다. "
            "Google은 생성된 문구에 대한 권리를 주장하지 않습니다.",
            "The base is Gemma, so this adapter is a Model Derivative of Gemma. Whoever uses or redistributes it is "
            f"bound by the Gemma Terms of Use and the [Prohibited Use Policy]({_GEMMA_POLICY}); redistribution carries "
            "a copy of the terms and the `NOTICE` file and says what was modified. "
            "Google claims no rights in generated lines.",
            "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms\n\n"
            "This repository holds adapter weights trained on Gemma: a modified work.\n",
        ),
        Licence(
            "apache-2.0",
            "Apache License 2.0",
            "https://www.apache.org/licenses/LICENSE-2.0",
            "기반 모델이 Apache-2.0이므로 저작권 표시와 라이선스 사본을 남기면 상업적으로도 쓸 수 있습니다.",
            "The base is Apache-2.0: commercial use is allowed as long as copyright notices and a copy of the licence "
            "stay with the weights.",
        ),
        Licence(
            "mit",
            "MIT License",
            "https://opensource.org/license/mit",
            "기반 모델이 MIT이므로 저작권 표시를 남기면 상업적으로도 쓸 수 있습니다.",
            "The base is MIT: commercial use is allowed as long as its copyright notice stays with the weights.",
        ),
        Licence(
            "cc-by-nc-4.0",
            "CC BY-NC 4.0",
            "https://creativecommons.org/licenses/by-nc/4.0/",
            "기반 모델이 비상업 라이선스이므로 이 어댑터도 상업적으로 쓸 수 없습니다. 출처를 밝혀야 합니다.",
            "The base is non-commercial, and so is this adapter. Attribution is required.",
        ),
    )
}


def licence_of(identifier: str, base_model: str) -> Licence:
    """The licence by its Hub identifier; one we do not know sends the reader to the base model's page."""
    return LICENCES.get(identifier) or Licence(
        identifier,
        identifier,
        f"https://huggingface.co/{base_model}",
        f"기반 모델의 라이선스(`{identifier}`)를 그대로 따릅니다. 쓰기 전에 기반 모델 페이지에서 조건을 확인하세요.",
        f"The base model's licence (`{identifier}`) applies as it is; read it on the base model's page first.",
    )

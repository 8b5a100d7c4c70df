"""What the licence of a base model means for an adapter trained on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Licence:
    """A licence as cards speak of it.

    Attributes:
        id: the Hub's identifier.
        notice: text of the `NOTICE` file that has to travel with the weights, empty where none has to.
        republish: whether an adapter trained on such a base may be published at all.
    """

    id: str
    name: str
    link: str
    ko: str
    en: str
    notice: str = ""
    republish: bool = True


#: What the Hub calls a licence that nobody has stated.
UNKNOWN = "unknown"

_GEMMA_TERMS = "https://ai.google.dev/gemma/terms"
_GEMMA_POLICY = "https://ai.google.dev/gemma/prohibited_use_policy"

# Names beside `license: other` in cards from before the Hub had an identifier for the licence.
_NAMES = {"gemma-terms-of-use": "gemma"}

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
            "Google은 출력물의 권리를 주장하지 않습니다.",
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


def identifier_of(licence: str | None, name: str | None) -> str:
    """The identifier of what a card declares as `license` and `license_name`; `unknown` where it names no licence.

    `other` is no licence but a pointer to `license_name`: with a name it is that licence, without one it is none.
    """
    stated = name if licence == "other" else licence
    return _NAMES.get(stated or "", stated or UNKNOWN)


def may_publish(identifier: str | None) -> bool:
    """Whether an adapter trained on a base under this licence may be published.

    An adapter is a derivative of its base. Without a licence all rights stay with the author: `None`, "", `unknown`,
    and `other` where it stands for no name (see `identifier_of`). Creative Commons' NoDerivatives (`-nd`) keeps changed
    versions from being shared. Any other licence, also one we have no words for, gives the right on its own conditions,
    which the card passes on.
    """
    return _stated(identifier) and not _no_derivatives(identifier)


def licence_of(identifier: str, base_model: str) -> Licence:
    """The licence by its Hub identifier; one we have no words for sends the reader to the base model's page."""
    if identifier in LICENCES:
        return LICENCES[identifier]
    if not _stated(identifier):
        ko = "기반 모델 카드에 라이선스가 적혀 있지 않습니다. 이 어댑터를 공개하려면 저작권자의 허락이 필요합니다."
        en = "The base model's card states no licence; publishing this adapter needs its author's permission."
    elif _no_derivatives(identifier):
        ko = f"기반 모델의 라이선스(`{identifier}`)가 변경본의 배포를 금지하므로 이 어댑터는 공개할 수 없습니다."
        en = f"The base model's licence (`{identifier}`) forbids sharing changed versions; this adapter stays private."
    else:
        ko = f"기반 모델의 라이선스(`{identifier}`)를 그대로 따릅니다. 먼저 기반 모델 페이지에서 조건을 확인하세요."
        en = f"The base model's licence (`{identifier}`) applies as it is; read it on the base model's page first."
    page = f"https://huggingface.co/{base_model}"
    return Licence(identifier, identifier, page, ko, en, republish=may_publish(identifier))


def _stated(identifier: str | None) -> bool:
    return (identifier or "").strip().lower() not in ("", UNKNOWN, "other")


def _no_derivatives(identifier: str | None) -> bool:
    return "nd" in (identifier or "").strip().lower().split("-")

"""Every sentence that the server says to a visitor, in Korean and in English, by key."""

from __future__ import annotations

from typing import Any, Literal

Language = Literal["ko", "en"]
LANGUAGES: tuple[Language, ...] = ("ko", "en")

#: Key -> the sentence in Korean, in English.
MESSAGES: dict[str, tuple[str, str]] = {
    "description": (
        "상품과 담을 가치를 적으면 한 줄 광고 카피를 씁니다.",
        "Name a product and the values to convey; it writes one-line ad copy in Korean.",
    ),
    # What is asked for
    "no_product": ("상품을 적어 주세요. 예: 제습기", "Name a product, for example 제습기 (dehumidifier)."),
    "product_text": (
        "상품은 글자로 적어 주세요. 예: 제습기",
        "The product must be text, for example 제습기 (dehumidifier).",
    ),
    "long_product": (
        "상품은 {most}자까지 적을 수 있습니다. 지금 {length}자입니다.",
        "A product has at most {most} characters; this one has {length}.",
    ),
    "no_value": (
        "담을 가치를 하나 이상 적어 주세요. 예: 뽀송함, 여유",
        "Give at least one value to convey, for example 뽀송함, 여유 (freshness, ease).",
    ),
    "values_text": (
        "담을 가치는 글자로 적어 주세요. 예: 뽀송함, 여유",
        "Values must be text, for example 뽀송함, 여유 (freshness, ease).",
    ),
    "many_values": (
        "가치는 {most}개까지 담을 수 있습니다. 지금 {count}개입니다.",
        "At most {most} values fit; there are {count}.",
    ),
    "long_value": (
        "가치 하나는 {most}자까지입니다. 길면 쉼표로 나눠 주세요: “{start}…”",
        "A value has at most {most} characters. Part longer ones with commas: “{start}…”",
    ),
    "count": (
        "카피 수는 {low}에서 {high} 사이의 정수로 골라 주세요.",
        "The number of lines is a whole number from {low} to {high}.",
    ),
    "temperature": (
        "다양성(온도)은 {low}에서 {high} 사이로 골라 주세요.",
        "Variety (temperature) goes from {low} to {high}.",
    ),
    "option_text": (
        "표현 기법과 말투는 글자로 적어 주세요. 비워 두셔도 됩니다.",
        "Device and tone must be text. They may stay empty.",
    ),
    "long_option": (
        "표현 기법과 말투는 {most}자까지 적을 수 있습니다.",
        "Device and tone have at most {most} characters.",
    ),
    "no_option": (
        "이 모델은 표현 기법과 말투를 따로 받지 않습니다. 두 칸을 비워 주세요.",
        "This model takes no device and no tone. Leave both empty.",
    ),
    "like_text": (
        "비슷하게 쓸 카피는 {most}자까지의 글로 알려 주세요.",
        "The line to write more like must be text of at most {most} characters.",
    ),
    "base": (
        "기반 모델로 쓸지는 true나 false로 알려 주세요.",
        "Say with true or false whether the base model is to write.",
    ),
    "no_compare": (
        "여기서는 기반 모델의 카피를 함께 볼 수 없습니다.",
        "The base model cannot write here.",
    ),
    "name_text": (
        "visit와 job은 {most}자까지의 글로 보내 주세요.",
        "visit and job must be text of at most {most} characters.",
    ),
    "lang": ("언어는 ko나 en으로 알려 주세요.", "The language is ko or en."),
    # What nobody may advertise
    "refuse-illegal": (
        "법으로 팔거나 광고할 수 없는 것이라 카피를 쓰지 않습니다.",
        "The law forbids selling or advertising this, so no copy is written for it.",
    ),
    "refuse-hate": (
        "누군가를 미워하게 하는 글은 쓰지 않습니다.",
        "Nothing is written that stirs up hatred of people.",
    ),
    "refuse-sexual": (
        "성적인 카피는 쓰지 않습니다. 다른 상품이나 가치를 적어 주세요.",
        "No sexual copy is written. Name another product or other values.",
    ),
    "refuse-swearing": (
        "욕이나 남을 깎아내리는 말이 있어 카피를 쓰지 않습니다. 다른 말로 적어 주세요.",
        "There is swearing or demeaning language in this. Use other words.",
    ),
    "refuse-personal": (
        "연락처 같은 개인 정보가 있습니다. 빼고 적어 주세요.",
        "This holds personal data such as a phone number. Leave it out.",
    ),
    # The line of jobs
    "loading": (
        "모델을 불러오는 중입니다. 먼저 눌러 두시면 준비되는 대로 씁니다.",
        "The model is loading. Ask now and the lines come as soon as it is there.",
    ),
    "next": ("곧 차례가 옵니다.", "Yours is next."),
    "waiting": (
        "앞에 {ahead}명이 있습니다. 차례가 오면 바로 씁니다.",
        "Visitors ahead of you: {ahead}. It writes as soon as it is your turn.",
    ),
    "writing": ("후보를 쓰고 고르는 중입니다.", "Writing candidates and choosing among them."),
    "done": (
        "후보 {written}개를 쓰고 그 가운데 {count}개를 골랐습니다.",
        "Chosen from the candidates written: {count} of {written}.",
    ),
    "fewer": (
        "후보 {written}개 가운데 보여 드릴 만한 카피는 {count}개였습니다. {asked}개를 채우지 못했습니다.",
        "Fit to show: {count} of the {written} candidates written. You asked for {asked}.",
    ),
    "nothing": (
        "보여 드릴 만한 카피가 나오지 않았습니다. 다시 누르거나 가치를 바꿔 보세요.",
        "No line came out that is fit to show. Press again, or try other values.",
    ),
    "stopped": ("멈췄습니다. 고른 카피 {count}개는 그대로 둡니다.", "Stopped. Lines kept: {count}."),
    "late": (
        "시간이 오래 걸려 여기서 멈췄습니다. 고른 카피 {count}개는 그대로 둡니다.",
        "It took too long and was ended here. Lines kept: {count}.",
    ),
    "too_late": (
        "카피를 쓰는 데 너무 오래 걸려 멈췄습니다. 카피 수를 줄여 다시 눌러 주세요.",
        "Writing took too long and was ended. Ask for fewer lines and press again.",
    ),
    "busy": (
        "지금은 기다리는 분이 많습니다. 잠시 뒤에 다시 눌러 주세요.",
        "Many visitors are waiting. Please press again in a moment.",
    ),
    "your_jobs": (
        "한 분이 한 번에 {most}건까지 부탁하실 수 있습니다. 앞의 것이 끝나면 다시 눌러 주세요.",
        "One visitor may have {most} requests at a time. Press again when one of them has ended.",
    ),
    "address_jobs": (
        "같은 주소에서 이미 {most}건을 부탁하셨습니다. 앞의 것이 끝나면 다시 눌러 주세요.",
        "Your address has {most} requests in line already. Press again when one of them has ended.",
    ),
    "failed": (
        "카피를 쓰다가 문제가 생겼습니다. 다시 눌러 주세요.",
        "Something went wrong while writing. Please press again.",
    ),
    "no_gpu": ("GPU를 빌리지 못했습니다. {said}", "No GPU could be had. {said}"),
    # Loading
    "ready": ("모델이 준비됐습니다.", "The model is ready."),
    "load-gated": (
        "{model}의 이용 조건에 동의한 계정의 토큰이 필요합니다. Space 설정의 Secrets에 HF_TOKEN을 넣어 주세요.",
        "It takes a token of an account that accepted the terms of {model}. Put it into the Space's secrets: HF_TOKEN.",
    ),
    "load-missing": (
        "모델이 Hub에 없습니다. 아래에 적힌 저장소와 리비전이 그대로 있는지 확인해 주세요.",
        "The model is not on the Hub. Check that the repository and revision named below still exist.",
    ),
    "load-offline": (
        "모델이 있는 Hub에 연결할 수 없습니다. 잠시 뒤에 다시 눌러 주세요.",
        "The Hub that holds the model cannot be reached. Please press again in a moment.",
    ),
    "load-memory": ("메모리가 모자라 모델을 불러오지 못했습니다.", "There is not enough memory to load the model."),
    "load-failed": (
        "모델을 불러오지 못했습니다. 잠시 뒤에 다시 눌러 주세요.",
        "The model could not be loaded. Please press again in a moment.",
    ),
    "crashed": (
        "카피를 쓰던 프로그램이 멈춰서 다시 시작했습니다. 다시 눌러 주세요.",
        "The program that writes the lines stopped and was started again. Please press again.",
    ),
    "restart": (
        "{said} 이 Space는 다시 시작해야 모델을 불러올 수 있습니다. 관리자에게 알려 주세요.",
        "{said} This Space has to be restarted before it can load the model. Please tell its owner.",
    ),
    "rated_under_base": (
        "평가에서 이 모델({adapter:.2f})은 기반 모델({base:.2f})보다 낮은 점수를 받았습니다.",
        "In its evaluation this model ({adapter:.2f}) is rated under its base model ({base:.2f}).",
    ),
    # HTTP
    "no_page": ("그런 주소는 없습니다.", "There is nothing at this address."),
    "no_stream": (
        "그런 요청은 없거나 이미 끝났습니다. 다시 부탁해 주세요.",
        "There is no such request, or it has ended. Please ask again.",
    ),
    "too_large": ("요청은 {most}KB까지 보낼 수 있습니다.", "A request has at most {most} kB."),
    "no_json": (
        "요청이 올바른 JSON이 아닙니다. 괄호와 따옴표를 확인해 주세요.",
        "The request is not valid JSON. Check its brackets and quotes.",
    ),
    "no_data": (
        '요청은 {{"data": [...]}} 꼴이어야 합니다. 배열에는 인자를 차례로 {most}개까지 담을 수 있습니다.',
        'A request looks like {{"data": [...]}}, an array of up to {most} arguments in order.',
    ),
    "no_object": (
        "요청은 이름과 값으로 된 JSON 객체여야 합니다.",
        "The request must be a JSON object of names and values.",
    ),
    "malformed": (
        "요청에 빠진 것이 있거나 맞지 않는 것이 있습니다.",
        "Something is missing from the request, or does not fit.",
    ),
    "unknown_argument": (
        "이름이 ‘{name}’인 인자는 없습니다. 쓸 수 있는 인자: {names}",
        "There is no argument ‘{name}’. Arguments: {names}",
    ),
    "unknown_endpoint": (
        "이름이 ‘{name}’인 API는 없습니다. write_copy를 불러 주세요.",
        "There is no endpoint ‘{name}’. Call write_copy.",
    ),
    "unknown_tool": (
        "이름이 ‘{name}’인 도구는 없습니다. 쓸 수 있는 도구: {names}",
        "There is no tool ‘{name}’. Tools: {names}",
    ),
    # Feedback
    "feedback_off": ("여기서는 평가를 모으지 않습니다.", "No feedback is collected here."),
    "feedback_kind": (
        "평가는 like, dislike, edit 가운데 하나로 보내 주세요.",
        "Feedback is one of like, dislike and edit.",
    ),
    "feedback_text": (
        "평가에 상품, 가치, 카피가 글로 모두 있어야 합니다.",
        "Feedback needs a product, values and a line, all of them text.",
    ),
    "feedback_long": (
        "평가에 담긴 글이나 목록이 너무 깁니다. {most}까지 보낼 수 있습니다.",
        "A text or a list in the feedback is too long: at most {most}.",
    ),
    "feedback_same": ("고친 카피가 원래 카피와 같습니다.", "The edited line is the same as before."),
    "feedback_personal": (
        "연락처 같은 개인 정보가 있어 저장하지 않았습니다. 지우고 다시 보내 주세요.",
        "This holds personal data such as a phone number and was not kept. Remove it and send again.",
    ),
    "feedback_failed": (
        "평가를 저장하지 못했습니다. 잠시 뒤에 다시 보내 주세요.",
        "The feedback could not be kept. Please send it again in a moment.",
    ),
}


def text(key: str, lang: Language, **fields: Any) -> str:
    """The sentence of a key."""
    return MESSAGES[key][LANGUAGES.index(lang)].format(**fields)


def both(key: str, **fields: Any) -> dict[Language, str]:
    """The sentence in each language, for a page that can switch."""
    return {lang: text(key, lang, **fields) for lang in LANGUAGES}

"""Questions to a proposing teacher, its answers however they look, and what is kept of them."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from pipelines.drought import AT_FIRST
from pipelines.endpoint.failures import FailureKind
from pipelines.endpoint.spending.budget import Caps
from pipelines.errors import HanjulError
from pipelines.execution.running import run
from pipelines.planning.proposals import build_proposals_pipeline, read_leaf
from pipelines.planning.questions import answer_form, prompt_of, read_answer
from pipelines.planning.screening import (
    Proposal,
    extended,
    flaw,
    lemma_key,
    merge_products,
    screen_products,
    screen_values,
)
from pipelines.planning.taxonomy import KINDS, load_taxonomy
from tests.pipelines.endpoint.teacher_server import serve
from tests.pipelines.endpoint.teachers import teacher_at
from tests.pipelines.planning.categories import one_group

TAXONOMY = (
    one_group(
        "커피", ("커피 캡슐", "모카포트"), {kind: (f"{kind} 값",) for kind in KINDS} | {"emotional": ("편안한",)}
    ),
    one_group("가구", ("흔들의자",), {kind: ("아늑한",) for kind in KINDS}),
)


def propose(endpoint, folder, questions, kind, count, **fields):
    llm = teacher_at(endpoint.url, folder, temperature=0.9, max_new_tokens=24, **fields)
    pipeline = build_proposals_pipeline(questions, llm, kind=kind, count=count, cache_dir=folder / "distilabel")
    return read_leaf(run(pipeline), kind, count)


@pytest.mark.field
def test_a_teacher_of_whom_nothing_is_usable_is_not_asked_on(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.endpoint.completions.FIRST_PAUSE_S", 0.001)
    questions = [{"category": f"분류 {number}", "there": ()} for number in range(200)]
    with serve(lambda body, number: "Please log in.") as endpoint:
        answers = propose(endpoint, tmp_path, questions, "product", 2)
        assert len(endpoint.log.requests) < 3 * 60
    assert len(answers) == AT_FIRST
    assert {(answer.failure.message, answer.failure.sample) for answer in answers} == {
        ("no usable answer", "Please log in.")
    }


@pytest.mark.field
def test_a_teacher_that_has_nothing_to_propose_any_more_is_a_limit_for_all_that_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.endpoint.completions.FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr("pipelines.drought.LATER", 20)
    questions = [{"category": f"분류 {number}", "there": ()} for number in range(100)]

    def write(body, number):
        return '{"products": ["원두"]}' if len(endpoint.log.requests) < 6 else "Please log in."

    with serve(write) as endpoint:
        answers = propose(endpoint, tmp_path, questions, "product", 2)
    assert [answer.category for answer in answers] == [question["category"] for question in questions]
    words = Counter(answer.failure.message if answer.failure else "" for answer in answers)
    usable = words.pop("")
    assert 4 <= usable <= 6
    unasked = 100 - usable - 20
    assert words == {
        "no usable answer": 19,
        "20 prompts in a row brought nothing that can be used": unasked + 1,
    }


@pytest.mark.field
def test_questions_that_meet_a_limit_all_come_back(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.drought.LATER", 20)
    questions = [{"category": f"분류 {number}", "there": ()} for number in range(100)]
    with serve(lambda body, number: '{"products": ["원두"]}') as endpoint:
        answers = propose(endpoint, tmp_path, questions, "product", 2, caps=Caps(requests=5))
    assert Counter(answer.failure and answer.failure.kind for answer in answers) == {None: 5, FailureKind.LIMIT: 95}


def test_products_are_asked_for_each_category_and_come_back_in_its_order(tmp_path):
    def write(body, number):
        coffee = "분류: 커피" in body["messages"][0]["content"]
        return json.dumps({"products": ["핸드드립 세트", "원두", "라테"] if coffee else ["책장"]})

    questions = [{"category": category.name, "there": category.products} for category in TAXONOMY]
    with serve(write) as endpoint:
        coffee, furniture = propose(endpoint, tmp_path, questions, "product", 2)
    assert (coffee.category, coffee.product, coffee.lists) == ("커피", "", {"products": ["핸드드립 세트", "원두"]})
    assert (furniture.category, furniture.lists, furniture.failure) == ("가구", {"products": ["책장"]}, None)
    assert coffee.input_tokens == len(prompt_of("product", questions[0], 2))
    assert len(endpoint.log.requests) == 2
    (body,) = [body for body in endpoint.log.requests if "분류: 커피" in body["messages"][0]["content"]]
    assert [message["role"] for message in body["messages"]] == ["user"]
    assert "이미 있는 상품: 커피 캡슐, 모카포트" in body["messages"][0]["content"]
    assert body["n"] == 1 and body["max_tokens"] == (24 + 12) * 2 + 32
    schema = body["response_format"]["json_schema"]
    assert schema["strict"] is True and schema["schema"]["required"] == ["products"]


def test_values_are_asked_for_by_kind_and_a_failed_question_loses_no_other(tmp_path):
    def write(body, number):
        if "상품: 책장" in body["messages"][0]["content"]:
            return 422, "no"
        return json.dumps({kind: [f"{kind} 하나", f"{kind} 둘"] for kind in KINDS})

    questions = [{"category": "가구", "product": "책장"}, {"category": "커피", "product": "원두"}]
    with serve(write) as endpoint:
        shelf, beans = propose(endpoint, tmp_path, questions, "value", 1)
    assert shelf.failure.label == "rejected 422" and not any(shelf.lists.values())
    assert (beans.product, beans.failure) == ("원두", None)
    assert beans.lists == {kind: [f"{kind} 하나"] for kind in KINDS}
    schema = endpoint.log.requests[0]["response_format"]["json_schema"]["schema"]
    assert schema["required"] == list(KINDS) and schema["additionalProperties"] is False


def test_nothing_to_ask_is_an_error(tmp_path):
    with pytest.raises(HanjulError, match=r"nothing to propose a value for → raise `pairs.propose.products`"):
        build_proposals_pipeline([], None, kind="value", count=1, cache_dir=tmp_path)


def test_the_prompt_of_values_explains_each_kind():
    prompt = prompt_of("value", {"category": "커피", "product": "원두"}, 3)
    lines = prompt.splitlines()
    assert [line.split(",")[0] for line in lines if line.startswith("- ")][:5] == [f"- {kind}" for kind in KINDS]
    assert "상품: 원두" in lines and "분류: 커피" in lines and "3가지씩" in prompt and "14자 안" in prompt


@pytest.mark.parametrize(
    ("answer", "products"),
    [
        ('{"products": ["원두", "라테"]}', ["원두", "라테"]),
        ('```json\n{"products": ["원두", "라테"]}\n```', ["원두", "라테"]),
        ('여기 있습니다.\n{"products" : [ "원두",\n"라테" ]}\n감사합니다', ["원두", "라테"]),
        ('<think>{"products": ["생각"]}</think>{"products": ["원두"]}', ["원두"]),
        ('{"products": ["원두", "라테", "에스프', ["원두", "라테"]),
        ('{"products": ["원두", "원두", " "]}', ["원두"]),
        ('{"products": [{"name": "원두"}, {"name": "라테"}]}', ["원두", "라테"]),
        ('{"products": ["a]b", "원\\uB450"]}', ["a]b", "원두"]),
        ('{"products": ["iPhone"]}', ["iPhone"]),  # kept for a reason to be given
        ("1. 원두\n2. 라테", ["원두", "라테"]),
        ("[]", []),
        ('{"products": ["\\x"]}', []),
    ],
)
def test_products_are_read_from(answer, products):
    assert read_answer(answer, "product") == {"products": products}
    assert answer_form("product", 2, 24).read(answer) == ([answer] if products else [])


def test_values_are_read_by_kind_and_kinds_may_be_missing():
    found = read_answer(
        '{"social": ["나눔"], "functional": ["빠른", "진한"], "다른": ["것"], "epistemic": ["발', "value"
    )
    assert found == {"functional": ["빠른", "진한"], "social": ["나눔"], **{kind: [] for kind in KINDS[2:]}}
    assert answer_form("value", 1, 24).read("빠른\n진한") == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("커피 캡슐", "커피캡슐"),
        ("우산의 손잡이", "우산 손잡이"),
        ("마시는 요구르트", "마실 요구르트"),
        ("편안함", "편안한"),
        ("오메가3", "오메가 3"),
    ],
)
def test_the_same_lemmas(one, other):
    assert lemma_key(one) == lemma_key(other) != ""


@pytest.mark.parametrize(
    ("one", "other"), [("커피 캡슐", "캡슐커피"), ("아기 치약", "아기용 치약"), ("초콜릿", "초콜렛"), ("가지", "오이")]
)
def test_other_lemmas(one, other):
    assert lemma_key(one) != lemma_key(other)


def test_no_two_products_of_the_taxonomy_are_the_same():
    products = [name for category in load_taxonomy() for name in category.products]
    assert merge_products([], products) == (products, [])


def test_merge_keeps_what_is_new_and_names_what_is_not():
    merged, away = merge_products(["커피 캡슐", "원두"], ["커피캡슐", "책장", "원두", "책장", "캡슐커피"])
    assert merged == ["커피 캡슐", "원두", "책장", "캡슐커피"]
    assert away == [("커피캡슐", "커피 캡슐"), ("원두", "원두"), ("책장", "책장")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("드립백 커피", ("", "")),
        ("5중날 면도기", ("", "")),
        ("가나다라마바사아자차카타", ("", "")),
        ("가나다라마바사아자차카타파", ("length", "13 > 12 characters")),
        ("iPhone 거치대", ("latin", "iPhone")),
        ("에어팟Pro", ("latin", "Pro")),
        ("珈琲 원두", ("script", "珈")),
        ("커피·차", ("script", "·")),
        ("123", ("script", "no Hangul")),
        ("", ("script", "no Hangul")),
    ],
)
def test_flaws(text, found):
    assert flaw(text, 12) == found


def test_products_are_screened_over_all_categories():
    proposed = {"커피": ['"원두"', "커피캡슐", "Nespresso 캡슐", "흔들 의자"], "가구": ["원두", "책장", "책장"]}
    found = [
        (each.category, each.product, each.status, each.reason, each.evidence)
        for each in screen_products(TAXONOMY, proposed)
    ]
    assert found == [
        ("커피", "원두", "kept", "", ""),
        ("커피", "커피캡슐", "merged", "lemma", "커피 캡슐"),
        ("커피", "Nespresso 캡슐", "rejected", "latin", "Nespresso"),
        ("커피", "흔들 의자", "merged", "lemma", "흔들의자"),
        ("가구", "원두", "merged", "lemma", "원두"),
        ("가구", "책장", "kept", "", ""),
        ("가구", "책장", "merged", "lemma", "책장"),
    ]


def test_values_are_cleaned_and_take_the_spelling_of_the_taxonomy():
    proposed = {
        "functional": ["진한.", "빠르고, 좋은"],
        "emotional": ["편안함", "진한"],
        "social": ["아주 길어서 다 읽을 수 없는 값"],
    }
    found = screen_values(proposed, ["편안한"], category="커피", product="원두")
    assert all((each.kind, each.category, each.product) == ("value", "커피", "원두") for each in found)
    assert [(each.value_kind, each.value, each.status, each.reason, each.evidence) for each in found] == [
        ("functional", "진한", "kept", "", ""),
        ("functional", "빠르고, 좋은", "rejected", "script", ","),
        ("emotional", "편안한", "kept", "", "편안함"),
        ("emotional", "진한", "merged", "lemma", "진한"),
        ("social", "아주 길어서 다 읽을 수 없는 값", "rejected", "length", "18 > 14 characters"),
    ]


def test_the_taxonomy_is_extended_by_what_was_kept():
    proposals = [
        Proposal("product", "커피", "원두"),
        Proposal("product", "커피", "라테"),
        Proposal("product", "가구", "소파", status="rejected"),
        Proposal("value", "커피", "원두", "functional", "진한"),
        Proposal("value", "커피", "원두", "functional", "고소한"),
        Proposal("value", "커피", "원두", "social", "나눔", status="rejected"),
    ]
    coffee, furniture = extended(TAXONOMY, proposals)
    assert coffee.products == ("커피 캡슐", "모카포트", "원두"), "what fits 라테 is not known"
    assert coffee.values_of("원두") == {"functional": ("진한", "고소한")}
    assert coffee.values_of("모카포트") == TAXONOMY[0].groups[0].values
    assert furniture == TAXONOMY[1]

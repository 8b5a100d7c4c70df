"""A line is near to lines for products of its kind, and far from others."""

import numpy as np

from model_card.judging.sense.fit_kinship import fit_kinship

CORPUS = [
    {"product": product, "values": values, "ad_copy": line}
    for product, values, line in (
        ("접이식 우산", ["든든한"], "비가 와도 어깨가 젖지 않아요"),
        ("장우산", ["든든한"], "바람 불고 비가 와도 어깨까지 덮어요"),
        ("골프 우산", ["넉넉한"], "비 오는 날 둘이 써도 어깨가 남아요"),
        ("드립백 커피", ["향긋한"], "뜨거운 물을 부으면 향이 퍼져요"),
        ("원두 커피", ["향긋한"], "아침마다 뜨거운 물에 향이 올라와요"),
        ("믹스 커피", ["간편한"], "뜨거운 물만 있으면 한 잔이 돼요"),
    )
]


def test_a_line_of_the_product_s_kind_is_nearer_than_another_s():
    kinship = fit_kinship(CORPUS)
    rows = [
        {"product": "우산", "values": ["든든한"], "ad_copy": "비가 와도 어깨가 보송해요"},
        {"product": "우산", "values": ["든든한"], "ad_copy": "뜨거운 물만 부으면 향이 퍼져요"},
    ]
    own, other = kinship.features(rows)
    assert own.shape == (17,) and np.isfinite([own, other]).all()
    assert own[0] > other[0] and own[3] > other[3]


def test_a_line_without_a_known_word_is_near_to_nothing():
    [found] = fit_kinship(CORPUS).features([{"product": "우산", "values": ["든든한"], "ad_copy": "???"}])
    assert np.isfinite(found).all() and not found[:7].any()

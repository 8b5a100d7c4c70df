"""Write the golden card anew: python -m tests.dataset_card.golden"""

from dataset_card.card import render
from tests.dataset_card.rows import facts
from tests.dataset_card.test_card import FIGURES, GOLDEN

GOLDEN.write_text(render(facts(), FIGURES), encoding="utf-8")

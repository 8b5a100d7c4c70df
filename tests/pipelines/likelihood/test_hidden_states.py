"""Mean hidden states: of each line alone, in any company."""

import numpy as np
import pytest

from pipelines.likelihood.hidden_states import DEPTHS, mean_states
from tests.tiny.adapter import LINES, PAIR, make_adapter

ROWS = [{"product": PAIR[0], "values": PAIR[1], "ad_copy": line} for line in LINES]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = make_adapter(tmp_path_factory.mktemp("tiny"), steps=1)
    return AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)


def test_there_is_one_mean_for_each_depth(tiny):
    model, tokenizer = tiny
    states = mean_states(model, tokenizer, ROWS)
    assert states.shape == (len(ROWS), len(DEPTHS) * model.config.hidden_size)
    assert np.isfinite(states).all() and len(np.unique(states.round(4), axis=0)) == len(ROWS)


def test_a_line_has_the_same_states_in_any_company(tiny):
    together = mean_states(*tiny, ROWS)
    alone = np.concatenate([mean_states(*tiny, [row]) for row in ROWS])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_the_pair_is_read_too(tiny):
    other = [row | {"product": "우산"} for row in ROWS]
    assert not np.allclose(mean_states(*tiny, ROWS), mean_states(*tiny, other))


def test_progress_counts_every_row(tiny):
    done = []
    mean_states(*tiny, ROWS, done.append)
    assert sum(done) == len(ROWS)

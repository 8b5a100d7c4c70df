"""Log-probabilities against a computation without cache, batches or a cut vocabulary, on tiny random models."""

import re

import pytest
import torch

from pipelines.likelihood import log_probabilities
from pipelines.likelihood.log_probabilities import Continuations, hangul_vocabulary
from tests.tiny import characters, language_model
from tests.tiny.characters import SPECIAL

CHARACTERS = [*map(chr, range(0xAC00, 0xD7A4)), *map(chr, range(32, 127)), "\n"]
#: What a continuation is chosen from: all but letters that are not Hangul, and the end.
KEPT = [
    token
    for token, text in enumerate([*SPECIAL, *CHARACTERS])
    if text == "<eos>" or (len(text) == 1 and not re.match("[A-Za-z]", text))
]

BEGINNING = "<bos>상품: 우산\n카피: 비보다 먼저 펴지는 마음<eos>\n\n" * 4
BEFORES = ["상품: 제습기\n카피:", "카피:", "\n", "상품: 아주 긴 이름의 이어폰\n카피:"]
LINES = [" 장마는 창밖에서만<eos>", " 나만 듣는 ABC<eos>", "비", " Z<eos>"]


@pytest.fixture(scope="module")
def tokenizer():
    """One token a character: Hangul syllables, ASCII, and the special ones."""
    return characters.tokenizer(CHARACTERS)


def tiny_model(tokenizer, **changes):
    """In float32, with a sliding window that is shorter than what texts begin with."""
    return language_model.model(len(tokenizer), initializer_range=0.3, **changes).float().eval()


@pytest.fixture(scope="module")
def model(tokenizer):
    return tiny_model(tokenizer)


@pytest.fixture(scope="module")
def capped(tokenizer):
    """With a soft cap so low that logits feel it, and a bias of the head."""
    made = tiny_model(tokenizer, final_logit_softcapping=2.0)
    made.lm_head.bias = torch.nn.Parameter(torch.randn(len(tokenizer)))
    return made


@pytest.fixture(scope="module")
def reader(model, tokenizer):
    return Continuations(model, tokenizer)


def naive(model, tokenizer, before, line):
    """As `Continuations.after` for one text, from the full logits of the whole of it."""
    ids = tokenizer(before, add_special_tokens=False).input_ids
    answer = torch.tensor(tokenizer(line, add_special_tokens=False).input_ids)
    with torch.inference_mode():
        logits = model(torch.tensor([[*ids, *answer]])).logits[0, len(ids) - 1 : -1]
    out = torch.ones_like(logits, dtype=torch.bool)
    out[:, KEPT] = False
    out[torch.arange(len(answer)), answer] = False
    log_probs = logits.masked_fill(out, -torch.inf).log_softmax(1)
    return torch.stack([log_probs[torch.arange(len(answer)), answer], log_probs.amax(1)], dim=1)


def near(found, wanted):
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("kind", ["model", "capped"])
def test_log_probs_are_those_of_the_whole_text(kind, tokenizer, request):
    model = request.getfixturevalue(kind)
    reader = Continuations(model, tokenizer)
    found = reader.after(reader.prefix(BEGINNING), BEFORES, LINES)
    assert [len(log_probs) for log_probs in found] == [11, 11, 1, 3]
    for before, line, log_probs in zip(BEFORES, LINES, found, strict=True):
        assert log_probs.dtype == torch.float32
        near(log_probs, naive(model, tokenizer, BEGINNING + before, line))


@pytest.mark.parametrize("bias", [8.0, 20.0])
def test_a_foreign_token_is_added_for_itself(tokenizer, bias):
    """However likely it is: it takes its share, and may be the likeliest."""
    model = tiny_model(tokenizer)
    latin = tokenizer.convert_tokens_to_ids(["A", "Z"])
    model.lm_head.bias = torch.nn.Parameter(torch.zeros(len(tokenizer)))
    model.lm_head.bias.data[latin] = bias
    reader = Continuations(model, tokenizer)
    (found,) = reader.after(reader.prefix(BEGINNING), ["카피:"], ["가Z나A"])
    near(found, naive(model, tokenizer, BEGINNING + "카피:", "가Z나A"))
    assert float(found[1, 0].exp()) > 0.01
    if bias == 20:
        assert float(found[1, 0]) == float(found[1, 1]) > -0.01


def test_a_soft_cap_bounds_how_far_tokens_are_apart(capped, tokenizer):
    reader = Continuations(capped, tokenizer)
    (found,) = reader.after(reader.prefix(BEGINNING), BEFORES[:1], LINES[:1])
    assert float((found[:, 1] - found[:, 0]).max()) < 2 * 2.0


def test_no_token_is_likelier_than_the_likeliest(reader):
    found = torch.cat(reader.after(reader.prefix(BEGINNING), BEFORES, LINES))
    assert bool((found[:, 1] >= found[:, 0] - 1e-5).all()) and bool((found <= 1e-5).all())


def test_the_likeliest_token_falls_short_of_nothing(reader, model, tokenizer):
    ids = tokenizer(BEGINNING + BEFORES[0], add_special_tokens=False).input_ids
    with torch.inference_mode():
        logits = model(torch.tensor([ids])).logits[0, -1]
    best = tokenizer.convert_ids_to_tokens(max(KEPT, key=lambda token: float(logits[token])))
    (found,) = reader.after(reader.prefix(BEGINNING), BEFORES[:1], [best])
    assert float(found[0, 0]) == pytest.approx(float(found[0, 1]), abs=1e-4)


def test_order_company_and_use_of_a_prefix_change_nothing(reader):
    befores = [BEFORES[n % 4] + "가" * (n % 9) for n in range(log_probabilities._BATCH + 8)]
    lines = [LINES[n % 3] for n in range(len(befores))]
    prefix = reader.prefix(BEGINNING)
    together = reader.after(prefix, befores, lines)
    backwards = reader.after(prefix, befores[::-1], lines[::-1])[::-1]
    for one, other in zip(together, backwards, strict=True):
        near(one, other)
    for place in range(4):
        near(together[place], reader.after(prefix, [befores[place]], [lines[place]])[0])
    assert all(map(torch.equal, together, reader.after(prefix, befores, lines)))


def test_nothing_to_read(reader):
    assert reader.after(reader.prefix(BEGINNING), [], []) == []


def test_every_line_stands_after_something(reader):
    with pytest.raises(ValueError, match="shorter"):
        reader.after(reader.prefix(BEGINNING), BEFORES, LINES[:1])


def test_vocabulary_is_without_letters_of_other_scripts(tokenizer):
    assert sorted(hangul_vocabulary(tokenizer)) == sorted(KEPT)
    assert tokenizer.eos_token_id in KEPT and tokenizer.convert_tokens_to_ids("A") not in KEPT


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        *((text, True) for text in ("각", "ㅋㅋ", "3", "!?", "_", "😀", "\n", "")),
        *((text, False) for text in ("a", "가b", "é", "字", "か", "Ж", "<end>")),
    ],
)
def test_what_counts_as_hangul(text, kept):
    class OneToken:
        eos_token_id = 1

        def __len__(self):
            return 2

        def batch_decode(self, ids):
            return [[text, "<eos>"][i] for (i,) in ids]

    assert hangul_vocabulary(OneToken()) == ([0, 1] if kept else [1])

"""The scorer against a computation without cache, batches or tricks, on a tiny random model."""

import pytest
import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import Gemma3ForCausalLM, Gemma3TextConfig, PreTrainedTokenizerFast

from pipelines import likelihood
from pipelines.likelihood import SHOTS, STRANGERS, Scorer, hangul_vocabulary, raw_scores, topic_particle

EXAMPLES = [
    {"product": f"상품{n}", "values": ["조용한", "빠른"][: 1 + n % 2], "ad_copy": f"한밤에도 {n}번쯤 웃는다"}
    for n in range(SHOTS + STRANGERS)
]
ROWS = [
    {"product": "우산", "values": ["든든한"], "ad_copy": "비보다 먼저 펴지는 마음"},
    {"product": "제습기", "values": ["보송한", "조용한"], "ad_copy": "장마는 창밖에서만"},
    {"product": "이어폰", "values": ["몰입"], "ad_copy": "나만 듣는 ABC"},
]


@pytest.fixture(scope="module")
def tokenizer():
    """One token a character: Hangul syllables, ASCII, and the special ones."""
    characters = [*map(chr, range(0xAC00, 0xD7A4)), *map(chr, range(32, 127)), "\n"]
    vocabulary = {text: i for i, text in enumerate(["<pad>", "<bos>", "<eos>", "<unk>", *characters])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    return PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", unk_token="<unk>"
    )


@pytest.fixture(scope="module")
def model(tokenizer):
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        sliding_window=64,  # shorter than the prefix
        layer_types=["sliding_attention", "full_attention"],
        initializer_range=0.3,
    )
    return Gemma3ForCausalLM(config).eval()


@pytest.fixture(scope="module")
def scorer(model, tokenizer):
    return Scorer(model, tokenizer, EXAMPLES)


def naive(model, tokenizer, before, line):
    """Log-probabilities of the line's tokens from full logits over the Hangul vocabulary and the token itself."""
    ids = tokenizer(before, add_special_tokens=False).input_ids
    answer = tokenizer(line, add_special_tokens=False).input_ids
    with torch.inference_mode():
        logits = model(torch.tensor([ids + answer])).logits[0, len(ids) - 1 : -1]
    kept = set(hangul_vocabulary(tokenizer))
    return torch.stack(
        [row[target] - row[sorted(kept | {target})].logsumexp(0) for row, target in zip(logits, answer, strict=True)]
    )


def shots(rows, copy=lambda row, n: row["ad_copy"]):
    return "\n\n".join(
        f"상품: {row['product']}\n가치: {', '.join(row['values'])}\n카피: {copy(row, n)}<eos>"
        for n, row in enumerate(rows)
    )


def asked(row):
    return f"\n\n상품: {row['product']}\n가치: {', '.join(row['values'])}\n카피:"


def dull(row, n):
    return likelihood._dulled(row, n)["ad_copy"]


def expected(model, tokenizer, row):
    """given, alone, strangers' and dull log-probabilities from the texts written out by hand."""
    line, prefix = f" {row['ad_copy']}<eos>", "<bos>" + shots(EXAMPLES[:SHOTS])
    bare = "<bos>" + "\n\n".join(f"\n카피: {example['ad_copy']}<eos>" for example in EXAMPLES[:SHOTS])
    return (
        naive(model, tokenizer, prefix + asked(row), line),
        naive(model, tokenizer, bare + "\n\n\n카피:", line),
        [naive(model, tokenizer, prefix + asked(stranger), line) for stranger in EXAMPLES[SHOTS:]],
        naive(model, tokenizer, "<bos>" + shots(EXAMPLES[:SHOTS], dull) + asked(row), line),
    )


def test_log_probs_are_those_of_the_whole_text(scorer, model, tokenizer):
    for row, found in zip(ROWS, scorer.log_probs(ROWS), strict=True):
        given, alone, strange, dulled = expected(model, tokenizer, row)
        mixture = (torch.stack([alone, *strange]).exp().mean(0)).log()
        assert found.tokens == len(row["ad_copy"]) + 2  # the space before it and the end
        assert found.given == pytest.approx(float(given.sum()), abs=1e-3)
        assert found.alone == pytest.approx(float(alone.sum()), abs=1e-3)
        assert found.marginal == pytest.approx(float(mixture.sum()), abs=1e-3)
        assert found.dull == pytest.approx(float(dulled.sum()), abs=1e-3)


def test_a_stranger_with_the_rows_own_product_is_none(scorer, model, tokenizer):
    row = {**ROWS[0], "product": EXAMPLES[SHOTS]["product"]}
    _, alone, strange, _ = expected(model, tokenizer, row)
    mixture = torch.stack([alone, *strange[1:]]).exp().mean(0).log()
    assert scorer.log_probs([row])[0].marginal == pytest.approx(float(mixture.sum()), abs=1e-3)


def test_scores_do_not_depend_on_company_or_order(scorer):
    many = [{**ROWS[n % 3], "product": f"물건{n}"} for n in range(40)]  # more than a batch
    together, backwards = raw_scores(scorer, many), raw_scores(scorer, many[::-1])[::-1]
    for one, other in zip(together, backwards, strict=True):
        assert vars(one) == pytest.approx(vars(other), abs=1e-4)
    assert raw_scores(scorer, many) == together


def test_raw_scores_are_means_over_tokens(scorer):
    line, score = scorer.log_probs(ROWS[:1])[0], raw_scores(scorer, ROWS[:1])[0]
    assert score.pv == (line.given - line.marginal) / line.tokens
    assert score.naturalness == line.alone / line.tokens
    assert score.creativity == (line.given - line.dull) / line.tokens


def test_progress_ends_at_one(scorer):
    shares = []
    raw_scores(scorer, ROWS, shares.append)
    assert shares == sorted(shares) and shares[-1] == 1


def test_vocabulary_keeps_hangul_digits_and_the_end_and_drops_latin(tokenizer):
    kept = set(hangul_vocabulary(tokenizer))
    assert {tokenizer.convert_tokens_to_ids(text) for text in ("가", "3", "!", " ", "<eos>")} <= kept
    assert tokenizer.convert_tokens_to_ids("A") not in kept


def test_too_few_examples(model, tokenizer):
    with pytest.raises(ValueError, match=f"needs {SHOTS + STRANGERS} example rows and got 3"):
        Scorer(model, tokenizer, EXAMPLES[:3])


def test_nothing_to_score(scorer):
    assert raw_scores(scorer, []) == []


@pytest.mark.parametrize(("word", "particle"), [("우산", "은"), ("치마", "는"), ("TV", "는")])
def test_topic_particle(word, particle):
    assert topic_particle(word) == particle

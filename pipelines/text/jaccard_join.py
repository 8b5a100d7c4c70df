"""Which lines are alike: an exact similarity join. MinHash would find the same pairs but for those that it misses.

What keeps it fast are three bounds on pairs with a Jaccard index of at least t, all of them exact: two sets of grams
that are alike share one of their rarest grams (prefix filter: S. Chaudhuri et al., "A Primitive Operator for Similarity
Joins in Data Cleaning", ICDE 2006), they are about as large (length filter), and bit maps of their grams differ in few
places (E. F. de O. Sandes et al., "Bitmap Filter", EDBT 2020). What passes is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.text.ngrams import SIZE, letters

#: Candidate pairs that are looked at together; each takes about 100 bytes meanwhile.
CHUNK = 2_000_000
#: Words of 64 bits of a line's fine bit map.
FINE = 4
#: Slack for 0.8 * 15 being 12.000000000000002.
EPSILON = 1e-9

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class GramSets:
    """The grams of each line, rarest first, as numbers. `offsets[i]:offsets[i + 1]` are those of line i."""

    grams: Array  # uint32, by line and then by rank of rarity
    offsets: Array  # int64, one more than lines
    sizes: Array  # int64
    bits: Array  # uint64, one bit a gram
    fine_bits: Array  # uint64, four for each line: a map of 256 bits


def similar_pairs(
    lines: Sequence[str], least: float, apart: Sequence[bool] | None = None
) -> tuple[Array, Array, Array]:
    """All pairs of lines whose Jaccard index of character 3-grams is `least` or more.

    Args:
        least: above 0, at most 1.
        apart: where given, only pairs of a line with True and one with False.

    Returns:
        (left, right, similarity), int64, int64 and float64, in the order of left and right; left is the smaller index.
        Equal lines are pairs too, so keep them apart before: a thousand equal lines are half a million pairs.
    """
    return similar_sets(gram_sets(lines), least, apart)


def similar_sets(sets: GramSets, least: float, apart: Sequence[bool] | None = None) -> tuple[Array, Array, Array]:
    """`similar_pairs` of lines whose grams are known: for who asks more than once."""
    marked = None if apart is None else np.asarray(apart, bool)
    found = [_counted(sets, *_plausible(sets, *pair, least), least) for pair in _candidates(sets, least, marked)]
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    left, right, similarity = (np.concatenate(column) for column in zip(*found, strict=True))
    _, first = np.unique(left << 32 | right, return_index=True)
    return left[first], right[first], similarity[first]


def gram_sets(lines: Sequence[str]) -> GramSets:
    """The grams of lines."""
    keys, owners = _keys([letters(line) for line in lines])
    known, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    rarity = np.empty(len(known), np.uint64)
    rarity[np.argsort(counts, kind="stable")] = np.arange(len(known), dtype=np.uint64)
    entries = _distinct(owners << np.uint64(32) | rarity[inverse])
    grams = (entries & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    sizes = np.bincount((entries >> np.uint64(32)).astype(np.int64), minlength=len(lines))
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    return GramSets(grams, offsets, sizes, *_bit_maps(grams, offsets, sizes))


def _bit_maps(grams: Array, offsets: Array, sizes: Array) -> tuple[Array, Array]:
    """`bits` and `fine_bits` of the grams of each line."""
    # Fibonacci hashing: the top six bits of a product with 2^64 / phi say which bit a gram is, the top eight which of
    # the fine map.
    spread = grams.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    bits = np.zeros(len(sizes), np.uint64)
    fine_bits = np.zeros((len(sizes), FINE), np.uint64)
    filled = sizes > 0
    if filled.any():
        begins = offsets[:-1][filled]
        bits[filled] = np.bitwise_or.reduceat(np.uint64(1) << (spread >> np.uint64(58)), begins)
        word, bit = spread >> np.uint64(62), np.uint64(1) << (spread >> np.uint64(56) & np.uint64(63))
        for place in range(FINE):
            fine_bits[filled, place] = np.bitwise_or.reduceat(np.where(word == place, bit, np.uint64(0)), begins)
    return bits, fine_bits


def _distinct(numbers: Array) -> Array:
    """Each number once, in order; `np.unique` hashes first, which takes ten times as long."""
    ordered = np.sort(numbers)
    return ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])] if len(ordered) else ordered


def _keys(texts: Sequence[str]) -> tuple[Array, Array]:
    """A number for each gram of each text, and the text it is of; a code point takes 21 bits."""
    padded = [text if len(text) >= SIZE or not text else text.ljust(SIZE, "\0") for text in texts]
    points = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    counts = np.array([max(len(text) - SIZE + 1, 0) for text in padded], np.int64)
    lengths = np.array([len(text) for text in padded], np.int64)
    owners = np.repeat(np.arange(len(texts), dtype=np.uint64), counts)
    begins = np.repeat(np.cumsum(lengths) - lengths - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
    return points[begins] << np.uint64(42) | points[begins + 1] << np.uint64(21) | points[begins + 2], owners


def _candidates(sets: GramSets, least: float, apart: Array | None) -> Iterator[tuple[Array, Array]]:
    """Pairs that share one of their rarest grams and are about as large, in chunks; some come more than once."""
    prefix = np.where(sets.sizes > 0, sets.sizes - np.ceil(least * sets.sizes - EPSILON).astype(np.int64) + 1, 0)
    owners = np.repeat(np.arange(len(sets.sizes)), prefix)
    places = np.arange(len(owners)) - np.repeat(np.cumsum(prefix) - prefix, prefix)
    grams = sets.grams[sets.offsets[owners] + places].astype(np.int64)
    width = int(sets.sizes.max(initial=0)) + 1  # by gram, and for each gram by size
    keys = grams * width + sets.sizes[owners]
    order = np.argsort(keys, kind="stable")
    keys, owners = keys[order], owners[order]
    gram, size = keys // width, keys % width
    largest = np.minimum(np.floor(size / least + EPSILON).astype(np.int64), width - 1)
    if apart is None:
        begin, partners = np.arange(1, len(keys) + 1), owners
        end = np.searchsorted(keys, gram * width + largest, "right")
    else:
        first, second = apart[owners], ~apart[owners]
        smallest = np.ceil(size * least - EPSILON).astype(np.int64)
        begin = np.searchsorted(keys[second], (gram * width + smallest)[first])
        end = np.searchsorted(keys[second], (gram * width + largest)[first], "right")
        owners, partners = owners[first], owners[second]
    yield from _expanded(owners, partners, begin, end)


def _expanded(owners: Array, partners: Array, begin: Array, end: Array) -> Iterator[tuple[Array, Array]]:
    """Each owner with partners[begin:end] of its own, about CHUNK pairs at a time."""
    counts = np.maximum(end - begin, 0)
    total = np.cumsum(counts)
    start = 0
    while start < len(counts):
        done = total[start - 1] if start else 0
        stop = max(int(np.searchsorted(total, done + CHUNK, "right")), start + 1)
        count = counts[start:stop]
        place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        yield np.repeat(owners[start:stop], count), partners[np.repeat(begin[start:stop], count) + place]
        start = stop


def _plausible(sets: GramSets, left: Array, right: Array, least: float) -> tuple[Array, Array]:
    """Those whose bit maps differ in no more places than the sets may; the fine map is for what the other lets pass."""
    near = np.bitwise_count(sets.bits[left] ^ sets.bits[right]) <= _most_apart(sets, left, right, least)
    near &= left != right
    pairs = _distinct(np.minimum(left, right)[near] << 32 | np.maximum(left, right)[near])
    left, right = pairs >> 32, pairs & 0xFFFFFFFF
    differ = np.bitwise_count(sets.fine_bits[left] ^ sets.fine_bits[right]).sum(axis=1)
    near = differ <= _most_apart(sets, left, right, least)
    return left[near], right[near]


def _most_apart(sets: GramSets, left: Array, right: Array, least: float) -> Array:
    """How many grams may be in one of the two sets alone."""
    both = sets.sizes[left] + sets.sizes[right]
    return np.asarray(both - 2 * np.ceil(least / (1 + least) * both - EPSILON))


def _counted(sets: GramSets, left: Array, right: Array, least: float) -> tuple[Array, Array, Array]:
    """The pairs that are alike enough, with their similarity."""
    counts = sets.sizes[left]
    place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    wanted = sets.grams[np.repeat(sets.offsets[left], counts) + place]
    shared = np.zeros(len(left), np.int64)
    pair = np.repeat(np.arange(len(left)), counts)
    held = _holds(sets, np.repeat(right, counts), wanted)
    np.add.at(shared, pair[held], 1)
    similarity = shared / (sets.sizes[left] + sets.sizes[right] - shared)
    enough = similarity >= least - EPSILON
    return left[enough], right[enough], similarity[enough]


def _holds(sets: GramSets, owners: Array, grams: Array) -> Array:
    """Whether each owner has a gram: binary search in all its grams at once."""
    low, high = sets.offsets[owners].copy(), sets.offsets[owners + 1].copy()
    while (open_ := low < high).any():
        middle = (low + high) // 2
        less = open_ & (sets.grams[np.minimum(middle, len(sets.grams) - 1)] < grams)
        low = np.where(less, middle + 1, low)
        high = np.where(open_ & ~less, middle, high)
    found = low < sets.offsets[owners + 1]
    found[found] = sets.grams[low[found]] == grams[found]
    return np.asarray(found)

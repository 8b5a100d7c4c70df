from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.endpoint.failures import BudgetSpentError
from pipelines.endpoint.spending.answer_store import Spent, Store
from pipelines.endpoint.spending.budget import Budget, Caps
from pipelines.endpoint.spending.prices import Price

#: A dollar a token in, two a token out: sums without rounding.
PRICE = Price(1_000_000, 2_000_000)
#: Seconds: no request of these takes so long.
PATIENCE = 60
RUNS = (f"run {number}" for number in itertools.count())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(tmp_path_factory.mktemp("budget") / "answers.sqlite")
    yield store
    store.close()


@dataclass(frozen=True)
class Cost:
    """One request: its bounds, what it really takes (None: no answer), and for how many turns of the loop."""

    most_in: int
    most_out: int
    taken_in: float
    taken_out: float
    answered: bool
    turns: int

    @property
    def most(self) -> Spent:
        return Spent(1, self.most_in, self.most_out, PRICE.usd(self.most_in, self.most_out))

    @property
    def real(self) -> Spent:
        if not self.answered:
            return self.most
        tokens = int(self.most_in * self.taken_in), int(self.most_out * self.taken_out)
        return Spent(1, *tokens, PRICE.usd(*tokens))


SHARES = st.sampled_from([0.0, 0.1, 0.5, 1.0])
COSTS = st.builds(Cost, st.integers(0, 50), st.integers(0, 50), SHARES, SHARES, st.booleans(), st.integers(0, 5))
CAPS = st.builds(
    Caps,
    requests=st.none() | st.integers(0, 15),
    tokens=st.none() | st.integers(0, 400),
    usd=st.none() | st.integers(0, 600).map(float),
)


def over(spent: Spent, caps: Caps) -> bool:
    return (
        (caps.requests is not None and spent.requests > caps.requests)
        or (caps.tokens is not None and spent.input_tokens + spent.output_tokens > caps.tokens)
        or (caps.usd is not None and spent.usd > caps.usd)
    )


@settings(deadline=None)
@given(st.lists(COSTS, max_size=25), CAPS)
def test_what_is_sent_at_once_never_passes_a_cap(store, costs, caps):
    run = next(RUNS)
    sent: list[Spent] = []
    in_flight: list[Spent] = []
    held_back = 0

    async def request(budget: Budget, number: int, cost: Cost) -> None:
        nonlocal held_back
        await asyncio.sleep(0)
        try:
            async with budget.request(f"key {number}", cost.most_in, cost.most_out) as receipt:
                in_flight.append(cost.most)
                # Even if every request in flight took as much as it may, the caps would hold.
                assert not over(sum(in_flight, sum(sent, Spent())), caps)
                for _ in range(cost.turns):
                    await asyncio.sleep(0)
                if cost.answered:
                    receipt.settle("answered", cost.real.input_tokens, cost.real.output_tokens, PRICE)
                in_flight.remove(cost.most)
                sent.append(cost.real)
        except BudgetSpentError:
            # Only what would not fit even now that nothing is in flight is held back.
            assert not in_flight
            assert over(sum(sent, cost.most), caps)
            held_back += 1

    async def main() -> None:
        budget = Budget(caps, PRICE, store, run, PATIENCE)
        await asyncio.gather(*(request(budget, *numbered) for numbered in enumerate(costs)))
        assert budget.spent == sum(sent, Spent())

    asyncio.run(main())
    assert len(sent) + held_back == len(costs)
    assert store.spent(run) == sum(sent, Spent())
    assert not over(store.spent(run), caps)


@pytest.mark.parametrize(
    ("caps", "message"),
    [
        (Caps(requests=1), r"max_requests = 1 \(1 sent\)"),
        (Caps(tokens=100), r"max_tokens = 100 \(60 spent\)"),
        (Caps(usd=100.0), r"max_usd = 100.0 \(80.0000 spent\)"),
    ],
)
def test_says_which_limit_and_what_was_spent(store, caps, message):
    async def main() -> None:
        budget = Budget(caps, PRICE, store, next(RUNS), PATIENCE)
        async with budget.request("a", 40, 20) as receipt:
            receipt.settle("answered", 40, 20, PRICE)
        with pytest.raises(BudgetSpentError, match=f"^{message}$"):
            async with budget.request("b", 40, 20):
                pytest.fail("it was let out")
        assert budget.spent == Spent(1, 40, 20, 80.0)

    asyncio.run(main())


def test_exactly_up_to_the_cap(store):
    async def main() -> None:
        budget = Budget(Caps(requests=3, tokens=90, usd=120.0), PRICE, store, next(RUNS), PATIENCE)
        for _ in range(3):
            async with budget.request("a", 20, 10) as receipt:
                receipt.settle("answered", 20, 10, PRICE)
        assert budget.spent == Spent(3, 60, 30, 120.0)

    asyncio.run(main())


def test_waits_for_those_in_flight_to_turn_out_cheaper(store):
    run = next(RUNS)
    order: list[str] = []

    async def request(budget: Budget, name: str, answered: asyncio.Event, taken: int) -> None:
        async with budget.request(name, 60, 0) as receipt:
            order.append(f"{name} left")
            await answered.wait()
            receipt.settle("answered", taken, 0, PRICE)
        order.append(f"{name} settled")

    async def main() -> None:
        budget = Budget(Caps(tokens=100), PRICE, store, run, PATIENCE)
        events = [asyncio.Event() for _ in range(3)]
        tasks = [
            asyncio.create_task(request(budget, name, event, 40)) for name, event in zip("가나다", events, strict=True)
        ]
        await asyncio.sleep(0.01)
        assert order == ["가 left"]
        assert store.spent(run) == Spent(1, 60, 0, 60.0)  # in the ledger before it leaves
        for event in events:
            event.set()
        assert await asyncio.gather(*tasks, return_exceptions=True) == [None, None, tasks[2].exception()]
        assert isinstance(tasks[2].exception(), BudgetSpentError)

    asyncio.run(main())
    assert order == ["가 left", "가 settled", "나 left", "나 settled"]
    assert store.spent(run) == Spent(2, 80, 0, 80.0)


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError, BaseException])
def test_a_request_without_an_answer_counts_at_its_most(store, error):
    run = next(RUNS)

    async def main() -> None:
        budget = Budget(Caps(tokens=100), PRICE, store, run, PATIENCE)
        with pytest.raises(error):
            async with budget.request("a", 30, 30):
                raise error
        assert budget.spent == Spent(1, 30, 30, 90.0)
        with pytest.raises(BudgetSpentError):
            async with budget.request("b", 41, 0):
                pytest.fail("it was let out")
        async with budget.request("c", 40, 0) as receipt:
            receipt.settle("400", 0, 0, None)

    asyncio.run(main())
    assert store.spent(run) == Spent(2, 30, 30, 90.0)


def test_goes_on_where_an_earlier_process_was_killed(store):
    run = next(RUNS)
    store.note_outcome(store.note_sent(run, "a", Spent(1, 40, 40, 120.0)), "answered", Spent(1, 10, 10, 30.0))
    store.note_sent(run, "b", Spent(1, 20, 10, 40.0))  # the kill came before its answer
    store.note_sent(next(RUNS), "c", Spent(1, 1000, 1000, 3000.0))

    async def main() -> None:
        budget = Budget(Caps(tokens=100), PRICE, store, run, PATIENCE)
        assert budget.spent == Spent(2, 30, 20, 70.0)
        with pytest.raises(BudgetSpentError, match=r"max_tokens = 100 \(50 spent\)"):
            async with budget.request("d", 51, 0):
                pytest.fail("it was let out")
        async with budget.request("e", 50, 0) as receipt:
            receipt.settle("answered", 25, 0, PRICE)

    asyncio.run(main())
    assert Budget(Caps(), None, store, run, PATIENCE).spent == Spent(3, 55, 20, 95.0)


def test_without_a_price_only_requests_and_tokens_count(store):
    async def main() -> None:
        budget = Budget(Caps(), None, store, next(RUNS), PATIENCE)
        async with budget.request("a", 1000, 1000) as receipt:
            receipt.settle("answered", 7, 8, None)
        assert budget.spent == Spent(1, 7, 8, 0.0)

    asyncio.run(main())

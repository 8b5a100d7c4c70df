"""Steps of toy pipelines, in a module that the processes of a Ray cluster can import."""

# No `from __future__ import annotations`: distilabel finds a step's input by the annotation itself.
import hashlib
import os
import time
from pathlib import Path

from distilabel.models import LLM
from distilabel.steps import GeneratorStep, GlobalStep, Step, StepInput

from pipelines import progress
from pipelines.progress import Progress


def node() -> str:
    """The id of the node of this process; "" outside Ray."""
    import ray

    return ray.get_runtime_context().get_node_id() if ray.is_initialized() else ""


class Numbers(GeneratorStep):
    count: int

    @property
    def outputs(self):
        return ["number", "made_on"]

    def process(self, offset: int = 0):
        for start in range(offset, self.count, self.batch_size):
            end = min(start + self.batch_size, self.count)
            yield [{"number": number, "made_on": node()} for number in range(start, end)], end == self.count


class Tells(Numbers):
    """Shows progress, though it takes no time."""

    def process(self, offset: int = 0):
        progress.SHORTEST_S = 0
        with Progress("counting", self.count) as shown:
            for batch, last in super().process(offset):
                shown.advance(len(batch))
                yield batch, last


class Double(Step):
    @property
    def inputs(self):
        return ["number"]

    @property
    def outputs(self):
        return ["double", "doubled_on"]

    def process(self, inputs: StepInput):
        yield [{**row, "double": row["number"] * 2, "doubled_on": node()} for row in inputs]


class Total(GlobalStep):
    @property
    def inputs(self):
        return ["double"]

    @property
    def outputs(self):
        return ["total", "totalled_on"]

    def process(self, inputs: StepInput):
        total = sum(row["double"] for row in inputs)
        yield [{**row, "total": total, "totalled_on": node()} for row in inputs]


class Unpicklable(RuntimeError):
    """As openai's: pickle would make it again without its status."""

    def __init__(self, text: str, *, status: int) -> None:
        super().__init__(text)
        self.status = status


class BreaksMaking(Numbers):
    def process(self, offset: int = 0):
        yield [{"number": 0, "made_on": ""}], False
        raise LookupError("no more numbers")


class BreaksLoading(Double):
    def load(self):
        super().load()
        raise OSError("no such model")


class BreaksTotalling(Double, GlobalStep):
    def process(self, inputs: StepInput):
        raise ArithmeticError("too much")
        yield inputs


class Dies(Double):
    def process(self, inputs: StepInput):
        os._exit(1)
        yield inputs


class Sleeps(Double):
    begun: str

    def process(self, inputs: StepInput):
        Path(self.begun).touch()
        time.sleep(60)
        yield inputs


class Asks(Double):
    """Holds an LLM with a key, as a task does; raises what proves that it has the key."""

    llm: LLM

    def load(self):
        super().load()
        self.llm.load()

    def process(self, inputs: StepInput):
        print("asking", self.llm)
        raise Unpicklable(f"refused the key of digest {digest(self.llm.api_key.get_secret_value())}", status=401)
        yield inputs


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()

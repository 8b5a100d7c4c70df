"""Where a Space may run, and what each place accepts.

Facts as of mid-2026: https://huggingface.co/docs/hub/spaces-overview, spaces-gpus, spaces-zerogpu.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from huggingface_hub import SpaceHardware

from pipelines.errors import HanjulError

#: Of both versions that ZeroGPU runs (3.10.13 is the other) the newer one. Elsewhere any 3.x will do.
PYTHON = "3.12.12"
#: Short names beside the Hub's own.
SHORT = {"zero": SpaceHardware.ZERO_A10G.value, "cpu": SpaceHardware.CPU_BASIC.value}

Kind = Literal["zero", "cpu", "gpu"]
#: What it takes to put a Space there, for the one who is told.
TERMS: dict[Kind, str] = {
    "zero": "a free account may have two Spaces there, and visitors have a daily quota",
    "cpu": "a Gradio Space without a GPU takes a paid plan, and visitors have no quota",
    "gpu": "it is paid for by the hour while the Space runs, and visitors have no quota",
}


@dataclass(frozen=True)
class Place:
    """A kind of machine that a Space runs on.

    Attributes:
        flavor: its name on the Hub.
    """

    flavor: str

    @property
    def kind(self) -> Kind:
        if self.flavor == SpaceHardware.ZERO_A10G:
            return "zero"
        return "cpu" if self.flavor.startswith("cpu-") else "gpu"

    @property
    def terms(self) -> str:
        return TERMS[self.kind]

    def lock(self, *, gguf: bool) -> str:
        """The lock file of what the page needs there, see `scripts.demo.requirements`.

        Args:
            gguf: the adapter has one, which llama.cpp reads where there is no GPU.
        """
        if self.kind == "zero":
            return "zero"
        return "llama" if self.kind == "cpu" and gguf else "torch"


def place_of(name: str) -> Place:
    """The place that a recipe or `--hardware` names.

    Raises:
        HanjulError: the Hub has none of this name.
    """
    flavors = [flavor.value for flavor in SpaceHardware]
    if SHORT.get(name, name) not in flavors:
        near = get_close_matches(name, [*SHORT, *flavors], n=1)
        raise HanjulError(
            "Spaces have no such hardware",
            f"space.hardware: {name}",
            f"give {near[0]}" if near else f"give {', '.join(SHORT)} or one of {', '.join(flavors)}",
        )
    return Place(SHORT.get(name, name))

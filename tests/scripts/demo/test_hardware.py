"""Names of places, and what each accepts."""

from __future__ import annotations

import pytest
from huggingface_hub import SpaceHardware

from pipelines.errors import HanjulError
from scripts.demo.hardware import TERMS, Place, place_of
from scripts.demo.requirements import ENGINES


@pytest.mark.parametrize(
    ("name", "flavor", "kind"),
    [
        ("zero", "zero-a10g", "zero"),
        ("zero-a10g", "zero-a10g", "zero"),
        ("cpu", "cpu-basic", "cpu"),
        ("cpu-upgrade", "cpu-upgrade", "cpu"),
        ("t4-small", "t4-small", "gpu"),
        ("rtx-pro-6000", "rtx-pro-6000", "gpu"),
    ],
)
def test_names(name: str, flavor: str, kind: str) -> None:
    place = place_of(name)
    assert (place.flavor, place.kind) == (flavor, kind)


def test_every_hardware_of_the_hub_has_terms_and_a_lock() -> None:
    for flavor in SpaceHardware:
        place = place_of(flavor.value)
        assert place.terms == TERMS[place.kind]
        assert {place.lock(gguf=True), place.lock(gguf=False)} <= ENGINES.keys()


def test_llama_is_for_cpus_with_a_gguf() -> None:
    assert Place("cpu-basic").lock(gguf=True) == "llama"
    assert Place("cpu-basic").lock(gguf=False) == "torch"
    assert Place("zero-a10g").lock(gguf=True) == "zero"
    assert Place("t4-small").lock(gguf=True) == "torch"


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(HanjulError, match="no such hardware") as raised:
        place_of("t4-smal")
    assert raised.value.next_step == "give t4-small"
    with pytest.raises(HanjulError) as raised:
        place_of("nonsense")
    assert "zero, cpu or one of cpu-basic" in str(raised.value.next_step)

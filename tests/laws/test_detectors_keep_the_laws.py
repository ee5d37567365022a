"""Every detector that is discovered keeps every law, on a stream of its own."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from contracts.detector import Spec
from contracts.kinds import KINDS
from detectors import specs
from detectors._common.laws import LAWS
from detectors._common.sample import Sample

SPECS = specs()
SEEDS = (1, 2)


def sample_of(kind: str, seed: int) -> Sample:
    sample: Sample = importlib.import_module(f"detectors.{kind}.sample").sample(seed)
    return sample


@pytest.mark.parametrize("kind", sorted(SPECS))
def test_every_kind_is_one_of_the_wires_and_has_a_sample(kind: str) -> None:
    assert kind in KINDS
    sample = sample_of(kind, 0)
    assert sample.items, "a sample without items proves nothing"
    assert [i.received_at for i in sample.items] == sorted(i.received_at for i in sample.items)


def cases() -> list[Any]:
    """Each kind, law and seed; streams cut everywhere take too long for every day."""
    return [
        pytest.param(
            kind, law, seed,
            marks=[pytest.mark.slow] if law == "every_cut" else [],
        )
        for kind in sorted(SPECS)
        for law in sorted(LAWS)
        for seed in SEEDS
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "law", "seed"), cases())
def test_detectors_keep_the_laws(kind: str, law: str, seed: int) -> None:
    spec: Spec[Any] = SPECS[kind]
    LAWS[law](spec, sample_of(kind, seed))

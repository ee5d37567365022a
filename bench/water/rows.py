"""Rows of the table: a figure of everything beside its references, then of what nobody tuned on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from bench._common.bootstrap import bootstrap
from bench._common.figure import Figure, figure

Cluster = TypeVar("Cluster")


def with_held_out(
    name: str,
    clusters: Sequence[Cluster],
    of: Callable[[Sequence[Cluster]], float | None],
    count: Callable[[Sequence[Cluster]], int],
    aim: str | None,
    reference: str,
    *,
    held: Callable[[Cluster], bool],
    called: str = "sensors",
    others: str = "the other half",
) -> list[Figure]:
    """Two rows: of all clusters, and of those held out, beside what the rest of them gives."""
    apart = [one for one in clusters if held(one)]
    rest = of([one for one in clusters if not held(one)])
    return [
        figure(name, bootstrap(clusters, of), count(clusters), aim, reference),
        figure(
            f"{name} (held-out {called})", bootstrap(apart, of), count(apart), None,
            f"{others} {short(rest)}",
        ),
    ]  # fmt: skip


def beside(told: Mapping[str, float | None]) -> str:
    """What the references say."""
    return "; ".join(f"{who} {short(value)}" for who, value in told.items())


def short(value: float | None) -> str:
    """Three digits."""
    return "–" if value is None else f"{value:.3g}"

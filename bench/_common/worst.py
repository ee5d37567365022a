"""Which pictures of what went wrong are worth looking at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

WORST: Final = 10


class Shown(Protocol):
    """A picture of something that went wrong."""

    @property
    def sort(self) -> str:
        """What went wrong, in words."""
        ...

    @property
    def worth(self) -> float:
        """The higher, the sooner it is shown."""
        ...

    @property
    def title(self) -> str:
        """For people."""
        ...


One = TypeVar("One", bound=Shown)


def worst(pictures: Sequence[One], word: str) -> list[One]:
    """The ten worst of those whose sort begins with `word`, each sort in turn."""
    sorts: dict[str, list[One]] = {}
    for one in sorted(pictures, key=lambda p: (-p.worth, p.title)):
        if one.sort.startswith(word):
            sorts.setdefault(one.sort, []).append(one)
    out: list[One] = []
    while len(out) < WORST and any(sorts.values()):
        out += [some.pop(0) for _, some in sorted(sorts.items()) if some]
    return out[:WORST]

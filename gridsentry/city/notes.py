"""What was found while reading a city folder: everything wrong at once, and what was assumed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from contracts.errors import Wrong

SHOWN = 50
"""How many problems the text of the error lists; `problems` holds all."""


class CityProblems(Wrong):
    """A city folder that cannot be used; `problems` are all that was found, in file order."""

    def __init__(self, where: str, problems: list[Wrong], warnings: list[str]) -> None:
        count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
        listing = "\n".join(f"  {problem}" for problem in problems[:SHOWN])
        if len(problems) > SHOWN:
            listing += f"\n  … and {len(problems) - SHOWN} more"
        super().__init__(where, f"{count} in the city folder\n{listing}")
        self.problems = problems
        self.warnings = warnings


class Notes:
    """Collects problems and warnings, so that a person fixes a folder in one go."""

    def __init__(self) -> None:
        self.problems: list[Wrong] = []
        self.warnings: list[str] = []
        self.facts: list[str] = []

    def wrong(self, where: str, found: str, allowed: str = "") -> None:
        """Something that must be mended before the city can be used."""
        self.problems.append(Wrong(where, found, allowed))

    def take(self, error: Wrong) -> None:
        """A problem somebody else found."""
        self.problems.append(error)

    def warn(self, where: str, text: str) -> None:
        """Something that was assumed or left aside; the city can be used."""
        self.warnings.append(f"{where}: {text}")

    def tell(self, where: str, text: str) -> None:
        """Something worth knowing; nothing is wrong."""
        self.facts.append(f"{where}: {text}")


def choices(names: Iterable[str], found: str = "", limit: int = 12) -> str:
    """The allowed names for a message: the nearest one first, then the rest, cut at `limit`."""
    known = sorted(names)
    near = difflib.get_close_matches(found, known, n=1) if found else []
    ordered = near + [name for name in known if name not in near]
    more = f" and {len(ordered) - limit} more" if len(ordered) > limit else ""
    hint = f" (did you mean {near[0]}?)" if near else ""
    return (", ".join(ordered[:limit]) or "nothing: there is none") + more + hint

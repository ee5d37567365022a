"""Which roles one process plays, and which writers that makes.

Everything in one process is the default. A shard owns whole sites by district: district i of the
city's sorted districts belongs to shard i mod n.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from contracts.errors import Wrong

if TYPE_CHECKING:
    from contracts.city import City

ROLES = ("all", "ingest", "cameras", "router", "center")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One writer: its name (also its lease) and what passes through it."""

    writer: str
    telemetry: bool = False
    bulk: bool = False
    routes: bool = False
    pulls_unrouted: bool = False
    shard: int = 1
    of: int = 1

    def districts(self, city: City) -> list[str] | None:
        """The districts this shard owns; None: all of them."""
        if self.of == 1:
            return None
        every = sorted({d.district for d in city.devices.values()})
        return [name for i, name in enumerate(every) if i % self.of == self.shard - 1]


class Roles(msgspec.Struct, frozen=True):
    """What this process does."""

    names: tuple[str, ...]
    shard: int = 1
    of: int = 1

    @property
    def center(self) -> bool:
        """Whether it serves pages and API."""
        return bool({"all", "center"} & set(self.names))

    def cores(self) -> list[Plan]:
        """The writers of this process."""
        if "all" in self.names:
            return [Plan(writer="all", telemetry=True, bulk=True, routes=True)]
        part = "" if self.of == 1 else f"-{self.shard}of{self.of}"
        plans = []
        if "ingest" in self.names:
            plans.append(Plan(writer=f"ingest{part}", telemetry=True, shard=self.shard, of=self.of))
        if "cameras" in self.names:
            plans.append(Plan(writer=f"cameras{part}", bulk=True, shard=self.shard, of=self.of))
        if "router" in self.names:
            plans.append(Plan(writer="router", routes=True, pulls_unrouted=True))
        return plans

    def writers(self) -> list[str]:
        """Names of the writers."""
        return [plan.writer for plan in self.cores()]


def parse(roles: str, shard: str) -> Roles:
    """`--roles ingest,router --shard 1/2`. Raises Wrong."""
    names = tuple(r.strip() for r in roles.split(",") if r.strip())
    for name in names:
        if name not in ROLES:
            raise Wrong("--roles", repr(name), ", ".join(ROLES))
    if not names:
        raise Wrong("--roles", "none given", ", ".join(ROLES))
    left, _, right = shard.partition("/")
    try:
        i, n = int(left), int(right)
    except ValueError as error:
        raise Wrong("--shard", repr(shard), "i/n, such as 1/2") from error
    if not 1 <= i <= n:
        raise Wrong("--shard", repr(shard), "1 <= i <= n")
    return Roles(names, i, n)

"""Who may be sent at all: role, shift, hands full or not. Kept as people's loads and the hour
change, never worked out anew for a choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from contracts.city import Worker
from contracts.governance import Role
from router.assign.load import Load
from router.assign.near import Indexes
from router.calendar import Shift
from router.settings import RouterSettings

Mask = NDArray[np.bool_]
_MANY = np.iinfo(np.int32).max


class Eligible:
    """Everybody's duty, shift and load as arrays over `workers`, and the masks that follow."""

    def __init__(
        self,
        workers: Sequence[Worker],
        roles: Mapping[str, Role],
        rungs: Sequence[str],
        community: NDArray[np.int32],
        settings: RouterSettings,
        zone: ZoneInfo,
    ) -> None:
        """`rungs`: roles of the ladder; `community`: (n,) of each worker, -1 for none."""
        self._workers = workers
        self._s = settings
        self._zone = zone
        self._index = {worker.id: i for i, worker in enumerate(workers)}
        duty = {role: _duty(role, roles, rungs, settings) for role in {w.role for w in workers}}
        self.leads = self._mask(lambda w: duty[w.role] == "dispose")
        """(n,) sent alone."""
        self.sent = self._mask(lambda w: duty[w.role] in ("dispose", "help"))
        """(n,) sent at all."""
        most = {role: roles[role].most_open if role in roles else None for role in duty}
        self._most = np.array(
            [_MANY if (m := most[w.role]) is None else m for w in workers], dtype=np.int32
        )
        self._shifts = {text: Shift(text) for text in {w.shift for w in workers}}
        codes = {text: code for code, text in enumerate(self._shifts)}
        self._shift = np.array([codes[w.shift] for w in workers], dtype=np.int32)
        self.tasks = np.zeros(len(workers), dtype=np.int32)
        """(n,) open tickets."""
        self.offers = np.zeros(len(workers), dtype=np.int32)
        """(n,) of them neither accepted nor returned."""
        self._community = community
        self.free = np.zeros(int(community.max(initial=-1)) + 2, dtype=np.int32)
        """(communities + 1,) how many there could be sent alone and have nothing to do; the last
        one is for those who belong to none."""
        self._minute = -1
        self._on_codes: Mask = np.zeros(0, dtype=np.bool_)
        self.on: Mask = np.zeros(len(workers), dtype=np.bool_)
        """(n,) on shift."""
        self.able: Mask = np.zeros(len(workers), dtype=np.bool_)
        """(n,) on shift, sent, and with room for one more."""
        self.able_leads = 0
        """How many of them are sent alone."""
        self._load: Mapping[str, int] = {}
        self._counted: Mapping[str, int] | None = self._load
        self._skilled: dict[tuple[str, ...], Mask] = {}

    def _mask(self, test: Callable[[Worker], bool]) -> Mask:
        return np.array([test(worker) for worker in self._workers], dtype=np.bool_)

    def skilled(self, skills: tuple[str, ...]) -> Mask:
        """(n,) who has all of these skills."""
        if skills not in self._skilled:
            need = set(skills)
            self._skilled[skills] = self._mask(lambda w: need.issubset(w.skills))
        return self._skilled[skills]

    # --- time -----------------------------------------------------------------------------------

    def at(self, now: datetime) -> None:
        """It is `now`: shifts begin and end on whole minutes of the city's time."""
        local = now.astimezone(self._zone)
        minute = local.hour * 60 + local.minute
        if minute == self._minute:
            return
        self._minute = minute
        on = np.array([shift.on(minute) for shift in self._shifts.values()], dtype=np.bool_)
        if len(self._on_codes) and np.array_equal(on, self._on_codes):
            return
        self._on_codes = on
        self.on = on[self._shift]
        self.able = self.on & self.sent & self._room()
        self.able_leads = int(np.count_nonzero(self.able & self.leads))
        idle = self.able & self.leads & (self.tasks == 0) & (self._community >= 0)
        self.free = np.bincount(self._community[idle], minlength=len(self.free)).astype(np.int32)

    def _room(self) -> Mask:
        mask: Mask = (self.tasks < self._most) & (self.offers < self._s.most_offers)
        return mask

    # --- load -----------------------------------------------------------------------------------

    def follow(self, load: Load) -> None:
        """This is what everybody has on their hands, now and from now on."""
        self._load = load
        load.follow(lambda worker, tasks, offers: self._told(load, worker, tasks, offers))
        self._count(load)

    def take(self, load: Mapping[str, int] | None) -> None:
        """What everybody has on their hands for this choice; None: as followed."""
        load = self._load if load is None else load
        if load is not self._counted:
            self._count(load)

    def _count(self, load: Mapping[str, int]) -> None:
        busy = np.flatnonzero((self.tasks != 0) | (self.offers != 0))
        for worker in {*(self._workers[i].id for i in busy.tolist()), *load}:
            offers = load.offers(worker) if isinstance(load, Load) else 0
            self._changed(worker, load.get(worker, 0), offers)
        # A plain mapping may change unseen: it is counted each time.
        self._counted = load if load is self._load else None

    def _told(self, load: Load, worker: str, tasks: int, offers: int) -> None:
        if self._counted is load:
            self._changed(worker, tasks, offers)

    def lend(self, i: int, more: int) -> None:
        """As if this one had so many more offers (less: fewer); to be given back."""
        self._set(i, int(self.tasks[i]) + more, int(self.offers[i]) + more)

    def room(self, who: Indexes) -> Indexes:
        """(k,) how many more offers each may be given."""
        left = np.minimum(self._most[who] - self.tasks[who], self._s.most_offers - self.offers[who])
        room: Indexes = np.maximum(left, 0).astype(np.int32)
        return room

    def _changed(self, worker: str, tasks: int, offers: int) -> None:
        i = self._index.get(worker)
        if i is not None:
            self._set(i, tasks, offers)

    def _set(self, i: int, tasks: int, offers: int) -> None:
        was, idle_was = bool(self.able[i]), bool(self.able[i]) and self.tasks[i] == 0
        self.tasks[i], self.offers[i] = tasks, offers
        room = tasks < self._most[i] and offers < self._s.most_offers
        able = bool(self.on[i] and self.sent[i] and room)
        self.able[i] = able
        if not self.leads[i]:
            return
        self.able_leads += int(able) - int(was)
        if self._community[i] >= 0:
            self.free[self._community[i]] += int(able and tasks == 0) - int(idle_was)


def _duty(
    role: str, roles: Mapping[str, Role], rungs: Sequence[str], settings: RouterSettings
) -> str:
    """What the city says of the role; where it says nothing, the settings and the ladder."""
    if role in roles:
        return roles[role].duty
    if role in rungs:
        return "lead"
    if role in settings.office_roles:
        return "liaise"
    return "help" if role in settings.helper_roles else "dispose"

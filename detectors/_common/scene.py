"""Does a fixed camera still see what it was set up to see?

Compared with the picture it was calibrated on (or, without one, with the first good view of the
scene), a camera may have *moved*, be *covered* or *blurred*, or its picture may be *frozen*. Each
must show itself for a while before it stands, and be gone for a while before it ends, and each has
a third answer, "nobody can tell": at night and in fog a camera is not accused of anything.

Cheap by looking seldom: contrast and checksums once a second, the full comparison every few
seconds and more often once it seems to have moved. Pure: the time comes with the pictures.
"""

from __future__ import annotations

import zlib
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from contracts.errors import Wrong
from detectors._common.faults import ADOPT_S, FAULTS, Fault, Limits, told
from detectors._common.glance import Glance, Texture, glance, texture
from detectors._common.hold import Hold
from detectors._common.match import Comparer, Match, View
from detectors._common.still import Stillness, StillState

Luma = NDArray[np.uint8]

GLANCE_S = 1.0
LOOK_S = (5.0, 4.3, 5.6, 4.7)
CLOSER_S = (0.7, 1.1, 0.8, 1.3)
"""Between looks, and once it seems to have moved: uneven, so as not to fall into step with a mast
that sways."""

SUDDEN_S = 5.0
"""A hand, a bag or paint covers a lens within this; dusk and fog take minutes."""

SEEN_SHARE = 0.25
"""At most this much of the cells may be without contrast before a cover, and after it."""

SEEN_CONTRAST = 0.4
"""Share of its contrast that a scene has before a cover; fog had taken it before it took all."""

LIT, BLACK, BLACKOUT_S = 40.0, 16.0, 3.0
"""Mean brightness before and after a lens goes black, and how fast: no dusk is."""

FAR_PX = 12.0
"""Pixels compared: what only the small picture shows is known to 4 of them."""

USUAL_LOOKS, NOW_LOOKS, SHARPER = 15, 5, 0.02
"""Glances that tell a camera's usual sharpness, and its present one (key frames are sharper than
what lies between); how fast it learns that it can be sharper."""
LEAST_SHARP = 0.25
"""Against the calibration picture: hard compression leaves 0.3 to 0.5, and what begins less sharp
than this was blurred before we came."""

STEADY = 1.0
"""Pixels compared: the scene stands as still as this while a reference is learned."""
LEARNED_LOOKS, TRIED_LOOKS = 3, 8
"""So many of so many looks must agree with one: a mast that sways comes by often enough."""
LOST_LOOKS, MATCHED_S = 5, 15.0
"""Looks in a row that show structure and match nothing, right after one that matched: turned away.
At dusk the structure goes first."""


class SceneState(msgspec.Struct):
    """All that a watch must remember."""

    last: int = -1
    next_glance: int = 0
    next_look: int = 0
    looks: int = 0
    reference: int = 0
    """Checksum of the calibration picture; another one means: calibrated anew."""
    learned: bytes | None = None
    """The reference found by itself, PNG at the compared size."""
    candidate: bytes | None = None
    agreed: int = 0
    tried: int = 0
    size: tuple[int, int] | None = None
    holds: dict[str, Hold] = {}
    still: StillState = msgspec.field(default_factory=StillState)
    recent: list[tuple[int, bool, float]] = []
    """(time, whether all was well to be seen, mean) of the glances of the last seconds."""
    covering: bool = False
    black: bool = False
    matched: int = -1
    """Time of the last full look that matched."""
    unmatched: int = 0
    sharpness: list[float] = []
    """Of the first glances, against the reference; once there were enough, of the last ones."""
    usual: float | None = None
    """Their median, and what was sharper since: cameras compress, calibration pictures do not."""
    numbers: dict[str, float | None] = {}
    """The newest figures: shift_x, shift_y, off (px), turn (degree), zoom, agree, sharp, lost."""


class SceneWatch:
    """The fold over a camera's pictures; `trusted` says whether places in them mean anything."""

    def __init__(
        self,
        reference: bytes | None = None,
        size: tuple[int, int] | None = None,
        limits: Limits | None = None,
        *,
        adopts: bool = True,
    ) -> None:
        """`reference` is the calibration picture (JPEG or PNG), `size` (width, height) of what was
        calibrated, in whose pixels shifts are told. `adopts`: whether a new view may in time become
        the reference where there is no calibration picture (not where points are calibrated).

        Raises Wrong when the reference is no picture.
        """
        self.limits = limits or Limits()
        self._given = _decoded(reference) if reference is not None else None
        self._size = size
        self._adopts = adopts
        self._comparer: Comparer | None = None
        self._then: View | None = None
        self._texture: Texture | None = None
        self._still = Stillness()
        self.s = SceneState(reference=zlib.crc32(reference) if reference is not None else 0)

    # --- what it says -------------------------------------------------------------------------

    @property
    def trusted(self) -> bool:
        """False while the camera has moved (or seems to) or its picture is at fault."""
        return not self.why

    @property
    def why(self) -> str:
        """Why places in the picture mean nothing now, in English; empty where they do."""
        found = self.fault
        if found is not None:
            return found.en
        moved = self.s.holds.get("moved")
        if moved is not None and not moved.stands and moved.streak >= 2:
            return f"the picture seems to be shifted by {self.s.numbers.get('off') or 0:.1f} px"
        return ""

    @property
    def fault(self) -> Fault | None:
        """The fault that stands, the one that hides the others first."""
        for what in FAULTS:
            hold = self.s.holds.get(what)
            if hold is not None and hold.stands:
                return self._fault(what, hold.since)
        return None

    # --- the fold -----------------------------------------------------------------------------

    def add(self, t: int, luma: Luma) -> None:
        """One picture at `t` (µs since 1970); most are passed over. Older ones are ignored."""
        s = self.s
        if t <= s.last:
            return
        s.last = t
        if t < s.next_glance and t < s.next_look:
            return
        size = (int(luma.shape[1]), int(luma.shape[0]))
        if self._comparer is None or s.size != size:
            self._begin(size)
        if t >= s.next_glance:
            s.next_glance = t + int(GLANCE_S * 1e6)
            self._glance(t, luma)
        if t >= s.next_look:
            s.looks += 1
            self._look(t, luma)
            doubt = s.holds.get("moved")
            closer = doubt is not None and doubt.streak > 0
            wait = (CLOSER_S if closer else LOOK_S)[s.looks % 4]
            s.next_look = t + int(wait * 1e6)

    def _see(self, what: str, t: int, bad: bool | None, lasts_s: float) -> None:
        hold = self.s.holds.setdefault(what, Hold())
        hold.see(t, bad, lasts_s, self.limits.recovers_s)

    def _glance(self, t: int, luma: Luma) -> None:
        s, limits = self.s, self.limits
        since = self._still.add(t, luma)
        s.still = self._still.state
        frozen = since is not None and t - since >= limits.frozen_s * 1e6
        self._see("frozen", t, frozen, 0.0)
        if frozen and since is not None and s.holds["frozen"].stands:
            s.holds["frozen"].since = since
        if self._texture is None or self._comparer is None:
            return
        seen = glance(self._texture, texture(*self._comparer.shrunk(luma)))
        if seen is None:
            return
        self._cover(t, seen)
        sharp = None if s.covering or s.black else self._sharp(seen.sharp)
        blurred = None if sharp is None else sharp < limits.blurred_to
        self._see("blurred", t, blurred, limits.blurred_s)
        s.numbers["sharp"] = None if sharp is None else round(sharp, 2)
        s.numbers["lost"] = round(seen.lost, 2)

    def _sharp(self, found: float | None) -> float | None:
        """Sharpness against what this camera usually has. None: nobody can tell."""
        s = self.s
        if found is None:
            return None
        if s.usual is None:
            s.sharpness.append(found)
            if len(s.sharpness) >= USUAL_LOOKS:
                s.usual = max(LEAST_SHARP, float(np.median(s.sharpness)))
                s.sharpness = []
            return None
        s.usual += SHARPER * max(0.0, found - s.usual)
        s.sharpness = [*s.sharpness[1 - NOW_LOOKS :], found]
        return float(np.median(s.sharpness)) / s.usual

    def _cover(self, t: int, seen: Glance) -> None:
        s, share = self.s, self.limits.covered_share
        s.recent = [r for r in s.recent if t - r[0] <= SUDDEN_S * 1e6]
        if not s.covering and seen.lost >= share:
            s.covering = any(well for _, well, _ in s.recent)
        elif s.covering and seen.lost < SEEN_SHARE and seen.unseen < SEEN_SHARE:
            s.covering = False
        dark = seen.mean <= BLACK and seen.flat
        if not s.black and dark:
            s.black = any(m >= LIT and t - at <= BLACKOUT_S * 1e6 for at, _, m in s.recent)
        elif s.black and not dark:
            s.black = False
        well = seen.lost + seen.unseen <= SEEN_SHARE and seen.contrast >= SEEN_CONTRAST
        s.recent.append((t, well, seen.mean))
        now = s.black or (s.covering and seen.lost >= SEEN_SHARE)
        told = now or seen.unseen <= SEEN_SHARE  # at night nobody sees that a cover is gone
        self._see("covered", t, now if told else None, self.limits.covered_s)

    def _look(self, t: int, luma: Luma) -> None:
        s = self.s
        assert self._comparer is not None
        if s.covering or s.black or (s.holds.get("frozen") or Hold()).stands:
            return
        now = self._comparer.view(luma)
        if self._then is None:
            self._learn(now)
            return
        found = self._comparer.match(self._then, now)
        px = self._px
        if found is not None:
            s.matched, s.unmatched = t, 0
            self._tell(found, px)
            self._judge(t, found.off * px, now)
            return
        far = self._comparer.far(self._then, now)
        if far is not None and max(abs(far[0]), abs(far[1])) >= FAR_PX:
            s.matched, s.unmatched = t, 0
            off = float(np.hypot(*far)) * px
            s.numbers |= {"shift_x": round(far[0] * px), "shift_y": round(far[1] * px)}
            s.numbers |= {"off": round(off), "turn": None, "zoom": None, "agree": None}
            self._judge(t, off, now)
            return
        self._elsewhere(t, now, matches=far is not None)

    def _elsewhere(self, t: int, now: View, *, matches: bool) -> None:
        """No tile says anything: night and fog, or the camera was turned right away."""
        s = self.s
        assert self._then is not None
        busy = float(np.mean(now.energy)) >= 0.5 * float(np.mean(self._then.energy))
        if matches or not busy:
            s.unmatched = 0
            return
        hold = s.holds.get("moved") or Hold()
        if s.unmatched or (s.matched >= 0 and t - s.matched <= MATCHED_S * 1e6):
            s.unmatched += 1
            s.matched = t if s.unmatched < LOST_LOOKS else s.matched
        if s.unmatched >= LOST_LOOKS or (hold.stands and s.unmatched):
            s.numbers |= {"shift_x": None, "shift_y": None, "off": None, "turn": None}
            s.numbers |= {"zoom": None, "agree": 0.0}
            self._see("moved", t, True, self.limits.moved_s)

    def _judge(self, t: int, off: float, now: View) -> None:
        limit = self.limits.moved_px
        hold = self.s.holds.setdefault("moved", Hold())
        bad: bool | None = off > limit
        if hold.stands and limit * 0.7 < off <= limit:
            bad = None
        self._see("moved", t, bad, self.limits.moved_s)
        stays = hold.stands and bad and self._given is None and self._adopts
        if stays and t - hold.since >= ADOPT_S * 1e6:
            self._take(_png(now.shrunk))
            self.s.holds["moved"] = Hold()

    # --- the reference ------------------------------------------------------------------------

    def _begin(self, size: tuple[int, int]) -> None:
        """Pictures of another size than before: what was learned from those says nothing now."""
        s = self.s
        self._comparer = Comparer(size)
        if s.size is not None and s.size != size:
            s.learned = s.candidate = s.usual = None
            s.sharpness = []
            s.agreed = s.tried = 0
            self._still = Stillness()
        s.size = size
        calibrated = self._size or (
            (self._given.shape[1], self._given.shape[0]) if self._given is not None else size
        )
        self._px = calibrated[0] / self._comparer.size[0]
        self._then = self._texture = None
        if self._given is not None:
            self._use(self._given)
        elif s.learned is not None:
            self._use(_decoded(s.learned))

    def _use(self, picture: Luma) -> None:
        assert self._comparer is not None
        self._then = self._comparer.view(picture)
        self._texture = texture(self._then.shrunk, self._then.small)

    def _learn(self, now: View) -> None:
        """A view becomes the reference once it stood still for some looks and shows enough."""
        s = self.s
        assert self._comparer is not None
        if s.candidate is None or s.tried >= TRIED_LOOKS:
            s.candidate, s.agreed, s.tried = _png(now.shrunk), 0, 0
            return
        s.tried += 1
        found = self._comparer.match(self._comparer.view(_decoded(s.candidate)), now)
        s.agreed += found is not None and found.off <= STEADY
        if s.agreed >= LEARNED_LOOKS:
            self._take(s.candidate)

    def _take(self, png: bytes | None) -> None:
        self.s.learned, self.s.candidate = png, None
        self.s.agreed = self.s.tried = 0
        self.s.usual, self.s.sharpness = None, []
        assert png is not None
        self._use(_decoded(png))

    # --- telling ------------------------------------------------------------------------------

    def _tell(self, found: Match, px: float) -> None:
        self.s.numbers |= {
            "shift_x": round(found.dx * px, 1),
            "shift_y": round(found.dy * px, 1),
            "off": round(found.off * px, 1),
            "turn": round(float(np.degrees(found.turn)), 2),
            "zoom": round(found.zoom, 3),
            "agree": round(found.confidence, 2),
        }

    def _fault(self, what: str, since: int) -> Fault:
        return told(what, since, self.s.numbers, self._given is not None, self.s.black)

    # --- state --------------------------------------------------------------------------------

    def state(self) -> SceneState:
        """All state; `restore` goes on from it as if never stopped."""
        return self.s

    def restore(self, state: SceneState) -> None:
        """Go on from `state`, unless the camera was calibrated anew since: then begin afresh."""
        if state.reference != self.s.reference:
            return
        self.s = state
        self._still = Stillness(state.still)
        if state.size is not None:
            self._begin(state.size)


def _png(picture: Luma) -> bytes:
    return bytes(cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes())


def _decoded(data: bytes) -> Luma:
    picture: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise Wrong("the camera's picture", "it cannot be read", "a JPEG or PNG")
    return np.asarray(picture, np.uint8)

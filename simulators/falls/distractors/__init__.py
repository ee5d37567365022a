"""Everything that moves before a facade and is no fall, one file each.

`make` gives one of `KINDS` for a scene. A kind is a `Layer` (has `draw`) or a `Sensor` (has `shift`
and `gain`). All of it follows from the dice alone and is a pure function of the time: pictures may
be drawn in any order. None of it is a thing that falls from the facade, but some look like it:
drips from rest near the lens, stooping birds, leaves and bags that come down.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulators.falls.distractors.birds import birds
from simulators.falls.distractors.clouds import Clouds
from simulators.falls.distractors.curtains import Curtains
from simulators.falls.distractors.drips import Drips
from simulators.falls.distractors.exposure import Exposure
from simulators.falls.distractors.flyers import flyers
from simulators.falls.distractors.foliage import Foliage
from simulators.falls.distractors.headlights import Headlights
from simulators.falls.distractors.insects import insects
from simulators.falls.distractors.laundry import Laundry
from simulators.falls.distractors.leaves import leaves
from simulators.falls.distractors.lift_cage import lift_cage
from simulators.falls.distractors.people import People
from simulators.falls.distractors.plastic_bag import plastic_bag
from simulators.falls.distractors.rain import Rain
from simulators.falls.distractors.reflections import Reflections
from simulators.falls.distractors.shake import Shake
from simulators.falls.distractors.snow import Snow
from simulators.falls.distractors.spider import spider
from simulators.falls.distractors.steam import Steam
from simulators.falls.distractors.traffic import traffic
from simulators.falls.distractors.window_lights import WindowLights
from simulators.falls.layers import Layer, Sensor, View

_Maker = Callable[[float, View, np.random.Generator], Layer | Sensor]

_MAKERS: dict[str, _Maker] = {
    "rain": Rain,
    "snow": Snow,
    "birds": birds,
    "insects": insects,
    "leaves": leaves,
    "laundry": Laundry,
    "window_lights": WindowLights,
    "headlights": Headlights,
    "clouds": Clouds,
    "shake": Shake,
    "exposure": Exposure,
    "drips": Drips,
    "foliage": Foliage,
    "people": People,
    "curtains": Curtains,
    "reflections": Reflections,
    "traffic": traffic,
    "plastic_bag": plastic_bag,
    "flyers": flyers,
    "lift_cage": lift_cage,
    "spider": spider,
    "steam": Steam,
}

KINDS: tuple[str, ...] = tuple(_MAKERS)
"""What there is, the most common first."""


def make(kind: str, strength: float, view: View, rng: np.random.Generator) -> Layer | Sensor:
    """A distractor for a scene.

    Args:
        kind: one of `KINDS`.
        strength: 0 hardly there, 1 as bad as it gets; also how often.
        view: the scene; only read.
        rng: dice of this distractor alone, so that adding one changes no other.

    Returns:
        A `Layer` or a `Sensor`; which one never changes for a kind.

    Raises:
        ValueError: the kind is unknown, or the strength is outside 0 to 1.
    """
    if kind not in _MAKERS:
        raise ValueError(f"no distractor {kind!r}; there are: {', '.join(KINDS)}")
    if not 0.0 <= strength <= 1.0:
        raise ValueError(f"strength of {kind} must be 0 to 1, not {strength!r}")
    return _MAKERS[kind](strength, view, rng)

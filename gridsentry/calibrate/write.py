"""The proposed camera file: TOML that teaches what to correct."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gridsentry.calibrate.propose import Proposal

KEPT = ("detect_mask", "privacy_mask")
"""What a person has drawn stays when a calibration is proposed anew."""


_NO_FOCAL = """\
# focal_px is not known. The distortion's numbers are for one of the picture's width; with another
# one, k1 is that number times the square of focal_px / width.
"""


def camera_toml(proposal: Proposal, picture: str, command: str, kept: Mapping[str, Any]) -> str:
    """The file's text. `picture` is the name of the picture beside it, `command` what draws the
    overlay again, `kept` the masks of the file it replaces."""
    parts = [
        f"""\
# Proposed by `gridsentry calibrate`; correct it by hand, then look at it again:
#   {command}
# Found:
"""
    ]
    parts += [f"#  * {one}\n" for one in proposal.said]
    if proposal.doubts:
        parts.append("# Guesses to check:\n")
        parts += [f"#  * {doubt}\n" for doubt in proposal.doubts]
    parts.append(f"\nsize = {list(proposal.size)}\n")
    parts.append(
        "# The picture these pixels were read from: the service compares with it, to notice when\n"
        f"# the camera has been moved. Calibrate anew then.\npicture = {json.dumps(picture)}\n"
    )
    parts.append(_lens(proposal))
    parts.append(
        """
# Level lines of the wall: v metres above the ground, [x, y] of two places on it in pixels. Put
# each on the upper edge of a slab (where the floor of that storey is). Two are needed, far apart;
# more show a wrong one. Only places on one plane: no balconies' fronts, no second wall.
floor_lines = [
"""
    )
    parts += [f"    {{v = {v:g}, line = {_ends(line)}}},\n" for v, line in proposal.floor_lines]
    parts.append(
        """]
# Upright lines: u metres along the wall from its left, edges of windows above each other.
bay_lines = [
"""
    )
    parts += [f"    {{u = {u:g}, line = {_ends(line)}}},\n" for u, line in proposal.bay_lines]
    parts.append("]\n# Single corners may be given as well: points = [[px, py, u, v], …]\n")
    parts.append(_zones(proposal))
    parts.append(
        """
# What is no window: one of these for each roof edge, balcony or corridor; polygon in metres.
"""
    )
    high = proposal.floors[-1]
    outline = [[0, high], [proposal.bays[-1], high], [proposal.bays[-1], high + 2], [0, high + 2]]
    parts.append(
        f'# [[zones]]\n# id = "roof"\n# what = "roof_edge"\n# polygon = {json.dumps(outline)}\n'
    )
    # Tables end TOML's top level, so masks stand before any [[zones]].
    masks = "".join(
        f"{name} = {json.dumps(kept[name])}\n"
        if kept.get(name)
        else f"# {name} = [[[0, 0], [{proposal.size[0]}, 0], [{proposal.size[0]}, 90], [0, 90]]]\n"
        for name in KEPT
    )
    parts.insert(
        -2,
        "\n# Polygons in pixels: where falls are looked for (leave out streets, trees, other\n"
        "# houses), and what is blacked out in every picture that is kept or shown.\n" + masks,
    )
    return "".join(parts)


def _lens(proposal: Proposal) -> str:
    text = "\n# The lens, from how straight lines look; a checkerboard knows it better.\n"
    focal = f"focal_px = {proposal.focal_px:.0f}\n" if proposal.focal_px is not None else ""
    if proposal.distortion is None:
        return text + (focal or _NO_FOCAL)
    bends = ", ".join(f"{one:.4f}" for one in proposal.distortion)
    return f"{text}distortion = [{bends}]\n{focal or _NO_FOCAL}"


def _zones(proposal: Proposal) -> str:
    text = "\n# Windows: floors by bays, boundaries in metres. F3-2 is floor 3, bay 2.\n"
    if proposal.first_floor == 1:
        text += f"floors = {[_short(v) for v in proposal.floors]}\n"
    else:
        rows = zip(proposal.floors, proposal.floors[1:], strict=False)
        tables = [
            f"    {{id = {n}, low = {low:g}, high = {high:g}}},\n"
            for n, (low, high) in enumerate(rows, start=proposal.first_floor)
        ]
        text += "floors = [\n" + "".join(tables) + "]\n"
    return text + f"bays = {[_short(u) for u in proposal.bays]}\n"


def _short(number: float) -> float | int:
    return int(number) if number == int(number) else number


def _ends(line: tuple[tuple[float, float], tuple[float, float]]) -> str:
    (a, b), (c, d) = line
    return f"[[{a:g}, {b:g}], [{c:g}, {d:g}]]"

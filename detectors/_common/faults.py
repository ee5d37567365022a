"""What may be wrong with a camera, when it counts, and how people are told."""

from __future__ import annotations

import msgspec

FAULTS = ("covered", "frozen", "blurred", "moved")
"""In the order in which one hides the others."""


ADOPT_S = 86400.0
"""Seconds. A camera without calibration that has stood in its new place so long was put there."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What counts as a fault, and for how long it must last."""

    moved_px: float = 3.0
    """Root mean square shift of the scene (px of the calibrated picture; of the camera's own
    without one): a window of 30 px is then off by a tenth of its size."""
    moved_s: float = 15.0
    """... for this long (seconds): a mast that sways returns sooner."""
    covered_share: float = 0.4
    """Share of the picture's structure that vanished at once ..."""
    covered_s: float = 30.0
    """... and stays away for this long (seconds): a lorry that passes does not."""
    blurred_to: float = 0.4
    """Share of its sharpness that is left: out of focus by 3 px at 1080p (measured) ..."""
    blurred_s: float = 30.0
    """... for this long (seconds)."""
    # and beyond `still.HABIT` times the longest stand-still before
    frozen_s: float = 45.0
    """Not one pixel changes for this long (seconds), where all did before."""
    recovers_s: float = 10.0
    """It is over when nothing was wrong for this long (seconds)."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A fault that stands."""

    what: str
    """One of FAULTS."""
    since: int
    """Time of its first sign, µs since 1970."""
    numbers: dict[str, float | None]
    en: str
    zh: str


def told(
    what: str, since: int, numbers: dict[str, float | None], calibrated: bool, black: bool
) -> Fault:
    """The fault in words of both languages, with the figures it was found by."""
    n = numbers
    against = "calibration picture" if calibrated else "first good view"
    zh_against = "标定图像" if calibrated else "首个有效画面"
    if what == "moved" and n.get("off") is not None:
        en = f"the camera moved: {n['off']:.1f} px away from the {against}"
        zh = f"摄像机移位：与{zh_against}相差{n['off']:.1f}像素"
    elif what == "moved":
        en = f"the camera was turned: nothing of the {against} is seen"
        zh = f"摄像机被转向：画面与{zh_against}完全不符"
    elif what == "covered" and black:
        en, zh = "the picture went black at once", "画面突然变黑"
    elif what == "covered":
        share = 100 * (n.get("lost") or 0)
        en, zh = f"{share:.0f} % of the picture is covered", f"画面{share:.0f}%被遮挡"
    elif what == "blurred":
        left = 100 * (n.get("sharp") or 0)
        en = f"the picture is blurred: {left:.0f} % of its sharpness is left"
        zh = f"画面模糊：清晰度仅剩{left:.0f}%"
    else:
        en, zh = "the picture stands still: not one pixel changes", "画面冻结"
    return Fault(what=what, since=since, numbers=dict(n), en=en, zh=zh)

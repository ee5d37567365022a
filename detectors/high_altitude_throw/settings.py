"""What may be configured about falls."""

from __future__ import annotations

import msgspec


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Falling objects before a facade. Lengths are in picture heights, so any size will do."""

    least_score: float = 30.0
    """Log likelihood ratio of the track against chance. The rain clip's best chance track reaches
    17, a falling box at 720p 222; e^17 is about the number of track hypotheses of a day."""
    least_evidence: float = 4.0
    """Log likelihood ratio of a fall against steady motion: odds of 55 to 1. A real box reaches 22
    from any copy of its clip, vehicles that pass all else 2.5."""
    most_misfit: float = 4.0
    """Largest reduced chi² of the fall. Real box: 0.6; vehicles that pass all else: 5 and more."""
    least_drop: float = 0.1
    """Least way down in picture heights where the camera is not calibrated: about two floors where
    a picture shows twenty."""
    least_floors: float = 2.0
    """Least way down in floors where it is: things fall off a hand or a sill all day."""
    most_aside: float = 0.7
    """Largest way across per way down: a throw at 5 m/s that falls two floors."""
    least_hits: int = 6
    """Pictures that must show it: two floors at 10 pictures a second."""
    least_s: float = 0.24
    """Seconds between the first and the last of them."""
    least_support: float = 0.6
    """Share of the pictures between first and last that show it: things of 10 grey levels are lost
    for two pictures of five; that it is no chance is the score's business."""
    settle_s: float = 1.0
    """After a fall's last hit: wait this long for its pieces and mirror images, then close."""
    close_after_s: float = 10.0
    """When no pictures come: close what is open this long after the last receipt."""
    longest_s: float = 30.0
    """No fall stays open longer than this after its onset."""
    severity: int = 4
    """Severity of the events, 1 minor to 5 extreme."""

"""What a CAP alert says to do, by kind, in Chinese and English; and how far along things are."""

from __future__ import annotations

from typing import Any

CATEGORY = {
    "high_altitude_throw": "Safety",
    "flooding": "Met",
    "manhole_cover_displaced": "Safety",
    "hydrant_no_pressure": "Fire",
    "loud_sound": "Security",
    "citizen_report": "Other",
    "patrol": "Other",
}
"""CAP's category of a kind; all others are infrastructure."""

INSTRUCTION = {
    "high_altitude_throw": (
        "请远离楼体一侧行走，注意头顶。",
        "Keep away from the building; mind what falls.",
    ),
    "flooding": (
        "请绕行，勿涉水，勿驶入低洼路段。",
        "Take another way; do not walk or drive into water.",
    ),
    "manhole_cover_displaced": (
        "井口可能敞开，请绕行。",
        "The shaft may be open: take another way.",
    ),
    "severed_cable": (
        "线缆可能带电，请至少远离8米，勿触碰。",
        "The line may be live: stay at least 8 m away and touch nothing.",
    ),
    "pole_tilt": ("请勿在倾斜杆体附近停留或停车。", "Do not stand or park near the leaning pole."),
    "hydrant_no_pressure": ("附近消火栓暂不可用。", "The hydrant nearby cannot be used for now."),
}
"""(zh, en). 8 m: GB 26860-2011 (Safety code of electric power industry) keeps people 8 m from the
place where a conductor touches the ground outdoors."""

RESPONSE = {
    "high_altitude_throw": "Avoid",
    "flooding": "Avoid",
    "manhole_cover_displaced": "Avoid",
    "severed_cable": "Avoid",
    "pole_tilt": "Avoid",
}
"""CAP's responseType while it goes on; others: Monitor."""


def certainty(evidence: dict[str, Any]) -> str:
    """CAP's certainty of what an event says: observed, likely, or only possible."""
    if evidence.get("state") == "suspected":
        return "Possible"
    if evidence.get("stage") == "forecast":
        return "Likely"
    return "Observed"

"""What was decided about every route: what a caller needs, and whether it keeps to their part.

A new route needs a line here, else `test_every_route.py` fails: decide who may, and what those see
who have only a part of the city. Sights:

scoped   shows case work; nothing outside of the caller's part of the city, or that is not their own
public   shows nothing of cases, or only what everybody may know of them
own      about whoever asks, by their session or by a signed link
whole    of the whole city by its nature: it asks for so much that it is given to few
"""

from __future__ import annotations

ROLES = ("viewer", "reporter", "resident", "worker", "utility", "operator", "head", "admin")
CENTER = ("operator", "head", "admin")
MAY: dict[str, tuple[str, ...]] = {
    "open": (*ROLES, "nobody"),
    "pass": (*ROLES, "nobody"),
    "self": ROLES,
    "read": ("viewer", "worker", "utility", *CENTER),
    "evidence": ("viewer", *CENTER),
    "report": ("reporter", "resident", "worker", *CENTER),
    "work": ("worker", "utility", *CENTER),
    "operate": CENTER,
    "supervise": ("head", "admin"),
    "administer": ("admin",),
    "originals": (),
}
"""Who may what, written down a second time: a change of `center.guard.MAY` is meant."""

DECISIONS: dict[str, tuple[str, str]] = {
    **{f"list-{what}s": ("read", "scoped")
       for what in ("ticket", "incident", "event", "silence", "device", "worker", "dead-letter",
                    "reading")},
    **{f"get-{what}": ("read", "scoped")
       for what in ("ticket", "incident", "event", "silence", "device", "worker", "dead-letter",
                    "reading")},
    **{f"plot-{what}": ("read", "scoped") for what in ("ticket", "incident", "event")},
    "act-on-ticket": ("work", "scoped"),
    "add-photo": ("work", "scoped"),
    "silence": ("operate", "scoped"),
    "lift-silence": ("operate", "scoped"),
    "report": ("report", "public"),
    "open-original": ("originals", "scoped"),
    "stream": ("read", "scoped"),
    "targets": ("evidence", "scoped"),
    "look-by-link": ("pass", "own"),
    "act-by-link": ("pass", "own"),
    "add-photo-by-link": ("pass", "own"),
    "watch-by-link": ("pass", "own"),
    "plot-by-link": ("pass", "own"),
    "grids": ("open", "public"),
    "assets": ("open", "public"),
    "city": ("open", "public"),
    "openapi": ("open", "public"),
    "evidence": ("open", "own"),
    "healthz": ("open", "public"),
    "readyz": ("open", "public"),
    "metrics": ("open", "public"),
    "cap-feed": ("open", "public"),
    "cap-alert": ("open", "public"),
    "geojson-feed": ("read", "scoped"),
    "tickets-csv": ("evidence", "scoped"),
    "figures": ("evidence", "scoped"),
    "figures-csv": ("evidence", "scoped"),
    "history": ("evidence", "scoped"),
    "sensorthings": ("read", "public"),
    "sensorthings-root": ("read", "public"),
    "sensorthings-entities": ("read", "scoped"),
    "mapped-tickets": ("evidence", "scoped"),
    "mapped-ticket": ("evidence", "scoped"),
    **{f"open311{ext}-{what}": ("report" if what == "report" else "open", "public")
       for ext in ("", "-xml")
       for what in ("services", "service", "requests", "request", "token", "report")},
    # administration
    "admin-devices": ("operate", "scoped"),
    "admin-dead-letters": ("administer", "scoped"),
    "admin-dead-letter": ("administer", "scoped"),
    "admin-dead-letter-payload": ("administer", "scoped"),
    "retry-dead-letters": ("administer", "scoped"),
    "planned-works": ("operate", "scoped"),
    "add-planned-works": ("administer", "whole"),
    "end-planned-works": ("administer", "whole"),
    "city-folder": ("administer", "whole"),
    "city-folder-archive": ("administer", "whole"),
    "preview-city": ("administer", "whole"),
    "apply-city": ("administer", "whole"),
    # analysis, resources, shifts
    **{f"analysis-{what}{ext}": ("operate", "scoped")
       for what in ("series", "ratings", "spots", "detectors") for ext in ("", "-csv")},
    "labels": ("operate", "scoped"),
    "labels-jsonl": ("operate", "scoped"),
    "label-causes": ("open", "public"),
    "label": ("operate", "scoped"),
    "take-back-label": ("operate", "scoped"),
    "resources": ("operate", "scoped"),
    "resource-tickets": ("operate", "scoped"),
    "shift": ("operate", "scoped"),
    "hand-over": ("operate", "whole"),
    "handover": ("operate", "whole"),
    "take-over": ("operate", "whole"),
    # desk, map, wall
    "map": ("open", "public"),
    "map-devices": ("read", "scoped"),
    "map-names": ("open", "public"),
    "queue": ("read", "scoped"),
    "names": ("read", "public"),
    "pages": ("open", "own"),
    "desk-panels": ("open", "public"),
    "acknowledge-many": ("operate", "scoped"),
    "building": ("evidence", "scoped"),
    "wall": ("read", "scoped"),
    "wall-stream": ("read", "scoped"),
    # people
    "me": ("open", "own"),
    "login": ("open", "own"),
    "logout": ("open", "own"),
    "change-password": ("self", "own"),
    "my-sessions": ("self", "own"),
    "end-my-session": ("self", "own"),
    "login-at-provider": ("open", "own"),
    "login-answered": ("open", "own"),
    **dict.fromkeys(
        ("list-accounts", "add-account", "get-account", "change-account", "reset-password",
         "end-sessions", "grid-names"),
        ("administer", "scoped"),
    ),
    "audit": ("administer", "whole"),
    "accesses": ("administer", "whole"),
    # residents and workers
    "look-at-place": ("open", "public"),
    "report-at-place": ("open", "public"),
    "follow-report": ("open", "own"),
    "rate-by-link": ("open", "own"),
    "deny-by-link": ("open", "own"),
    "worker-choices": ("open", "own"),
    "worker-shell": ("open", "public"),
    **dict.fromkeys(
        ("my-tickets", "my-ticket", "do-my-ticket", "add-my-photo", "my-position", "my-consent",
         "my-stream"),
        ("work", "scoped"),
    ),
}  # fmt: skip
"""Route → (access, sight)."""

ASKED_INSIDE: dict[str, str] = {"evidence": "evidence", "worker-choices": ""}
"""Routes whose handler decides: a file of evidence opens by signed link too; whom one may act as is
only told where nobody logs in."""

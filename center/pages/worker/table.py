"""The routes of the worker's page."""

from __future__ import annotations

from center.pages.worker import act, mine, stream, who
from center.pages.worker.place import Consent, Places, Where
from center.pages.worker.shell import Shell
from center.photos import Stored
from center.route import Route
from center.shapes import ActionWaiting
from contracts.city import City

ME = ("worker",)
"""Whom to act as, in a demonstration only."""


def routes(_city: City) -> tuple[Route, ...]:
    """All below `/api/v1/me` is of the worker who asks, whatever they ask for."""
    places = Places()
    base = "/api/v1/me"
    return (
        Route(
            method="GET", path=f"{base}/choices", name="worker-choices",
            summary="Whom one may act as where the center is open to everybody on this machine.",
            handler=who.choices, answers={200: dict},
        ),
        Route(
            method="GET", path=f"{base}/tickets", name="my-tickets",
            summary="A worker's tickets: `asked` waits for their word, `working` is in hand,"
            " `nearby` has nobody yet, `done` is of this shift.",
            handler=mine.listing, access="work", query=ME, answers={200: dict},
        ),
        Route(
            method="GET", path=f"{base}/tickets/{{id}}", name="my-ticket",
            summary="One of them with what the sensor saw (blurred); the look is noted.",
            handler=mine.single, access="work", query=ME, answers={200: dict},
        ),
        Route(
            method="POST", path=f"{base}/tickets/{{id}}/actions", name="do-my-ticket",
            summary="A step of it, with an `Idempotency-Key`: applied once however often it is"
            " sent; what was done without network says when, and is refused with the reason and"
            " noted for the office where the loop no longer allows it.",
            handler=act.act, access="work", query=ME, body=act.WorkBody,
            answers={200: dict, 202: ActionWaiting},
        ),
        Route(
            method="POST", path=f"{base}/tickets/{{id}}/photos", name="add-my-photo",
            summary="A photograph for it (JPEG or PNG, at most 8 MB); `ref` goes into a step.",
            handler=act.photo, access="work", query=(*ME, "name"), body=bytes,
            body_type="image/jpeg", answers={201: Stored},
        ),
        Route(
            method="POST", path=f"{base}/position", name="my-position",
            summary="Where the worker is, as the phone would say by MQTT; needs their consent.",
            handler=places.position, access="work", query=ME, body=Where, answers={202: dict},
        ),
        Route(
            method="POST", path=f"{base}/consent", name="my-consent",
            summary="The worker agrees to share their position, or no longer does; it is noted.",
            handler=places.consent, access="work", query=ME, body=Consent, answers={200: dict},
        ),
        Route(
            method="GET", path=f"{base}/stream", name="my-stream",
            summary="Server-Sent Events: which of the worker's tickets changed.",
            handler=stream.stream, access="work", query=ME, answers={200: "text/event-stream"},
        ),
        Route(
            method="GET", path="/w/sw.js", name="worker-shell",
            summary="The page's service worker, with the files it keeps and their version.",
            handler=Shell().serve, answers={200: "text/javascript"},
        ),
    )  # fmt: skip

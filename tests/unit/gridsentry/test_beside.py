"""What another recorder saw stands beside an event of ours: once, veiled, sealed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from center.links import Signer
from center.privacy import Veil, with_links
from contracts.clock import ManualClock
from contracts.event import Event, Place
from gridsentry.city.load import load_city
from gridsentry.engine.beside import FORGOTTEN, MOST, Beside
from gridsentry.engine.book import EventBook
from gridsentry.engine.chain import Chains
from ingest.adapting.seen import Picture, Tracked
from ingest.album import Album
from tests.rig import write_city

START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
ROWS = [
    "s-1,d1,drain,118.005,26.05,water,street,,depth",
    "cam-1,d1,camera,118.005,26.05,,street,,",
    "cam-2,d1,camera,118.009,26.05,,elsewhere,,",
]
EVENT = Event(
    id="e-1", rev=1, kind="flooding", site="s-1", device="s-1", at=START, severity=3,
    place=Place(118.005, 26.05), phase="opened", evidence={"value": 0.3},
)  # fmt: skip
JPEG = cv2.imencode(".jpg", np.full((90, 160, 3), 90, np.uint8))[1].tobytes()


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Scene:
    def __init__(self, folder: Path) -> None:
        write_city(folder / "city", ROWS)
        self.city = load_city(folder / "city")
        self.folder = folder
        self.album = Album(folder / "album")
        self.links: list[Any] = []
        self.beside = self.begun()

    def begun(self) -> Beside:
        folders = (self.folder / "shown", self.folder / "originals")
        return Beside(self.city, self.album, Chains(self.links), *folders)

    def sees(
        self, seconds: float, id: str = "f-1", camera: str = "cam-1", data: bytes = JPEG
    ) -> None:
        when = at(seconds)
        self.album.keep(Picture(camera, "person", when, data + id.encode()))
        self.album.keep(Tracked(camera, id, "person", 0.8, when, when, when))

    def looks(self, seconds: float) -> list[dict[str, Any]]:
        self.beside.look(at(seconds))
        made = []
        for order in self.beside.ordered:
            proof = self.beside.make(order)
            self.links.append(proof.link)
            made += proof.facts["beside"]
        self.beside.ordered.clear()
        return made


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_what_the_camera_of_the_place_saw_meanwhile_stands_beside_it_once(scene: Scene) -> None:
    scene.sees(10)
    scene.sees(11, "f-2", "cam-2")
    scene.sees(-90, "f-0")
    scene.beside.watch([EVENT], at(12))
    assert scene.looks(13) == [], "its last picture may be under way"
    (told,) = scene.looks(17)
    assert (told["id"], told["device"], told["label"]) == ("f-1", "cam-1", "person")
    assert (scene.folder / "shown" / told["still"]).is_file()
    assert (scene.folder / "originals" / told["still"]).is_file()
    assert scene.looks(20) == []
    scene.sees(21, "f-1", data=JPEG + b"another")
    scene.beside.watch([msgspec.structs.replace(EVENT, rev=2, phase="closed")], at(22))
    assert scene.looks(40) == []
    scene.beside = scene.begun()  # a restart
    scene.beside.watch([EVENT], at(41))
    assert scene.looks(50) == []


def test_an_event_that_comes_after_its_picture_has_it_too(scene: Scene) -> None:
    scene.sees(10)
    assert scene.looks(20) == []
    scene.beside.watch([EVENT], at(25))
    assert len(scene.looks(26)) == 1


def test_what_never_ends_is_shown_as_it_is_after_a_minute(scene: Scene) -> None:
    scene.beside.watch([EVENT], at(1))
    scene.album.keep(Tracked("cam-1", "f-1", "car", None, at(2), None, at(2)))
    scene.album.keep(Picture("cam-1", "car", at(3), JPEG))
    assert scene.looks(30) == []
    (told,) = scene.looks(70)
    assert told["until"] is None


def test_a_crowd_does_not_bury_an_event_and_old_ones_are_left_alone(scene: Scene) -> None:
    scene.beside.watch([EVENT], at(1))
    for n in range(MOST + 4):
        scene.album.keep(Picture("cam-1", "person", at(2), JPEG + bytes([n]), f"f-{n}"))
        scene.album.keep(Tracked("cam-1", f"f-{n}", "person", 0.5, at(2), at(2), at(2)))
    assert len(scene.looks(20)) == MOST
    late = at(1) + FORGOTTEN + timedelta(seconds=30)
    scene.sees((late - START).total_seconds() - 10, "late")
    assert scene.looks((late - START).total_seconds()) == []


def test_the_book_gathers_each_thing_once_and_keeps_it_over_later_revisions() -> None:
    book = EventBook(lambda point, _at, _kind: Place(point.lon, point.lat))
    book.publish(EVENT, at(1), True)
    one, two = {"id": "f-1", "still": "a.jpg"}, {"id": "f-2", "still": "b.jpg"}
    for facts in ([one], [two], [one | {"still": "again.jpg"}]):
        book.attach("e-1", {"beside": facts}, at(2), True)
    later = msgspec.structs.replace(EVENT, rev=2, evidence={"value": 0.5})
    published = book.publish(later, at(3), True)
    assert published is not None and published.event.rev == 4
    assert published.event.evidence == {"value": 0.5, "beside": [one, two]}


def test_its_picture_is_linked_for_those_who_may_see_it_and_withheld_from_others(
    scene: Scene,
) -> None:
    item = {"id": "e-1", "evidence": {"beside": [{"id": "f-1", "label": "car", "still": "a.jpg"}]}}
    signer = Signer("secret", 60.0, ManualClock(START))
    assert "a.jpg" in with_links(item, signer)["links"]["beside_0"]
    told = Veil(scene.city).redact(item)["evidence"]["beside"]
    assert told == [{"id": "f-1", "label": "car", "still": None}]

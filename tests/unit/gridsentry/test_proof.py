"""Proof of an event: what is sealed, what the chain holds against, what verification says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from contracts.batch import EvidenceLink
from contracts.city import Camera, Zone
from contracts.errors import Permanent
from contracts.event import Event, Footage, Place
from contracts.nouns import Segment
from detectors._common.facade import Facade
from gridsentry.cli import main
from gridsentry.commands import evidence as command
from gridsentry.engine.chain import Chains, canonical, digest, facts, read
from gridsentry.engine.proof import ProofMaker, Sealed
from gridsentry.engine.sight import Wall, view_of, wall_of
from gridsentry.engine.verify import Verifier
from gridsentry.replay.run import CHAIN, ORIGINALS

START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
SIZE = (320, 240)


def later(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def zone(floor: int, bay: int) -> Zone:
    u, v = 3.0 * bay, 3.0 * floor
    polygon = ((u, v), (u + 2, v), (u + 2, v + 2), (u, v + 2))
    return Zone(id=f"F{floor}-{bay}", floor=floor, bay=bay, polygon=polygon)


def seen_from(lens: tuple[float, ...] = ()) -> Camera:
    """A camera that looks up at a wall of 5 x 5 windows."""
    points = ((20.0, 220.0, 0.0, 0.0), (300.0, 220.0, 17.0, 0.0), (250.0, 20.0, 17.0, 17.0),
              (70.0, 20.0, 0.0, 17.0))  # fmt: skip
    zones = tuple(zone(floor, bay) for floor in range(5) for bay in range(5))
    focal = 300.0 if lens else None
    return Camera(
        device="cam", size=SIZE, points=points, zones=zones, distortion=lens, focal_px=focal
    )


def jpegs(count: int = 40) -> list[Segment]:
    out = []
    for n in range(count):
        picture = np.full((SIZE[1], SIZE[0], 3), 60 + n, np.uint8)
        data = cv2.imencode(".jpg", picture)[1].tobytes()
        out.append(Segment("cam", later(n / 10), later(n / 10), data))
    return out


PIECES = jpegs()
ORIGIN = {"zone": "F4-2", "floor": 4, "bay": 2, "p": 0.93, "others": [["F3-2", 0.05]]}
FOOTAGE = Footage("cam", later(0), later(4), later(1.5))


def throw(name: str = "e-1", **more: Any) -> Event:
    track = [[f"2026-06-01T08:00:0{1 + n // 10}.{n % 10}Z", 150.0, 60.0 + 8 * n] for n in range(15)]
    told = {"track": track, "origin": ORIGIN, "picture": list(SIZE), "size_px": 6.0, **more}
    return Event(
        id=name, rev=2, kind="high_altitude_throw", site="cam", device="cam", at=later(1),
        severity=4, place=Place(1, 2), phase="closed", evidence=told, footage=FOOTAGE,
    )  # fmt: skip


class Desk:
    """A folder of evidence with its chain."""

    def __init__(self, folder: Path, camera: Camera | None = None) -> None:
        self.folder = folder
        self.originals = folder / ORIGINALS
        self.camera = camera
        self.links: list[EvidenceLink] = []
        self.cuts = 0
        self.again()

    def again(self) -> None:
        """The service starts again with what was committed."""
        self.maker = ProofMaker(
            self.camera, "Asia/Shanghai", self.folder, self.originals, Chains(self.links)
        )

    def prove(self, event: Event, at: float = 10.0) -> Sealed:
        def segments() -> list[Segment]:
            self.cuts += 1
            return PIECES

        made = self.maker.make(segments, event, FOOTAGE, later(at))
        if made.link not in self.links:
            self.links.append(made.link)
        return made

    def found(self, gone: dict[tuple[str, int, str], datetime] | None = None) -> dict[str, str]:
        """What verification says is not as it was sealed: what → state."""
        verifier = Verifier({"shown": self.folder, "original": self.originals}, lambda: gone or {})
        return {
            f"{one.number}/{one.what}": one.state
            for one in verifier.walk(self.links)
            if one.state != "intact"
        }


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, seen_from())


# --- what is sealed -------------------------------------------------------------------------------


def test_an_event_is_told_its_files_their_hashes_and_its_place_in_the_chain(desk: Desk) -> None:
    first, second = desk.prove(throw()), desk.prove(throw("e-2"))
    told = first.facts
    assert set(told) == {"clip", "still", "track_file", "sha256", "chain"}
    assert set(told["sha256"]) == {"clip", "still", "track", "original_clip", "original_still"}
    for name, what in (("clip", "clip"), ("still", "still"), ("track_file", "track")):
        assert digest_of(desk.folder / told[name]) == told["sha256"][what]
    assert digest_of(desk.originals / told["clip"]) == told["sha256"]["original_clip"]
    assert told["chain"] == {"number": 1, "prev": None, "hash": first.link.hash}
    assert second.facts["chain"]["prev"] == first.link.hash
    assert first.link.hash == digest(first.link.manifest), "anybody can check it with sha256sum"
    assert facts(first.link) == told


def digest_of(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_track_says_where_when_and_with_what_it_was_measured(desk: Desk) -> None:
    boxes = [["2026-06-01T08:00:01.0Z", 147.0, 57.0, 6.0, 6.0]]
    made = desk.prove(throw(boxes=boxes))
    track = json.loads((desk.folder / made.facts["track_file"]).read_text())
    first = track["track"][0]
    assert (first["at"], first["x_px"], first["y_px"]) == ("2026-06-01T08:00:01Z", 150.0, 60.0)
    camera = seen_from()
    ((u, v),) = Facade(camera, (SIZE[1], SIZE[0])).to_metres(np.array([[150.0, 60.0]]))
    assert (first["u_m"], first["v_m"]) == pytest.approx((u, v), abs=0.006)
    assert track["origin"] == ORIGIN
    assert track["calibration"] == digest(canonical(camera)) == read(made.link).calibration
    assert track["footage"]["pictures"] == 40
    assert track["software"].startswith("gridsentry ")


def test_boxes_stand_with_their_moment(desk: Desk) -> None:
    boxes = [["2026-06-01T08:00:01.3Z", 147.0, 57.0, 6.0, 6.0]]
    made = desk.prove(throw(boxes=boxes, track=[["2026-06-01T08:00:01.3Z", 150.0, 60.0]]))
    (row,) = json.loads((desk.folder / made.facts["track_file"]).read_text())["track"]
    assert row["box_px"] == [147.0, 57.0, 6.0, 6.0]


def test_said_again_it_is_not_cut_again_also_after_a_restart(desk: Desk) -> None:
    first = desk.prove(throw())
    assert desk.prove(throw(), at=20.0).link == first.link
    desk.again()
    assert desk.prove(throw(), at=99.0) == first
    assert (desk.cuts, len(desk.links)) == (1, 1)


def test_killed_before_the_commit_it_is_cut_again_to_the_same_files(desk: Desk) -> None:
    first = desk.prove(throw())
    files = {path: path.read_bytes() for path in desk.folder.rglob("*.*")}
    desk.links.clear()
    desk.again()
    again = desk.prove(throw(), at=12.0)
    assert {path: path.read_bytes() for path in desk.folder.rglob("*.*")} == files
    assert again.link.number == 1 and again.facts["sha256"] == first.facts["sha256"]


def test_other_content_is_a_link_of_its_own_and_overwrites_nothing(desk: Desk) -> None:
    first = desk.prove(throw())
    other = desk.prove(throw(origin=None))
    assert other.link.number == 2 and other.facts["clip"] != first.facts["clip"]
    assert desk.found() == {}


def test_a_cut_that_fails_takes_no_number(desk: Desk) -> None:
    with pytest.raises(Permanent):
        desk.maker.make(list, throw(), FOOTAGE, later(9))
    assert desk.prove(throw("e-2")).link.number == 1


# --- verification ---------------------------------------------------------------------------------


def test_changed_and_missing_files_are_named(desk: Desk) -> None:
    made = [desk.prove(throw(f"e-{n}")) for n in range(3)]
    assert desk.found() == {}
    still = desk.folder / made[1].facts["still"]
    still.write_bytes(still.read_bytes()[:-1] + b"x")
    (desk.originals / made[2].facts["clip"]).unlink()
    assert desk.found() == {"2/shown/still": "changed", "3/original/clip": "missing"}


def test_expired_is_not_missing(desk: Desk) -> None:
    made = desk.prove(throw())
    for what in ("clip", "still"):
        (desk.originals / made.facts[what]).unlink()
    gone = {("cam", 1, "original"): later(99)}
    assert desk.found(gone) == {"1/original/clip": "expired", "1/original/still": "expired"}


def test_what_retention_deletes_meanwhile_is_expired_too(desk: Desk) -> None:
    made = desk.prove(throw())
    (desk.originals / made.facts["clip"]).unlink()
    answers = iter([{}, {("cam", 1, "original"): later(99)}])
    verifier = Verifier({"shown": desk.folder, "original": desk.originals}, lambda: next(answers))
    states = {one.what: one.state for one in verifier.walk(desk.links)}
    assert states["original/clip"] == "expired"


def test_a_link_cannot_be_changed_taken_out_or_put_in_another_place(desk: Desk) -> None:
    for n in range(4):
        desk.prove(throw(f"e-{n}"))
    whole = list(desk.links)

    def broken(links: list[EvidenceLink]) -> dict[str, str]:
        desk.links = links
        return {what: state for what, state in desk.found().items() if state == "broken"}

    assert broken(whole) == {}
    one = whole[1]
    forged = one.manifest.replace('"e-1"', '"e-9"')
    changed = msgspec.structs.replace(one, manifest=forged)
    assert broken([whole[0], changed, *whole[2:]]) == {"2/link": "broken"}
    resealed = msgspec.structs.replace(changed, event="e-9", hash=digest(forged))
    assert broken([whole[0], resealed, *whole[2:]]) == {"3/link": "broken"}, "the next tells"
    assert broken([whole[0], *whole[2:]]) == {"3/link": "broken"}
    assert broken(whole[1:]) == {"2/link": "broken"}
    moved = msgspec.structs.replace(one, event="e-3")
    assert broken([whole[0], moved, *whole[2:]]) == {"2/link": "broken"}


def test_a_chain_cut_off_at_its_end_is_betrayed_by_its_events(desk: Desk) -> None:
    made = [desk.prove(throw(f"e-{n}")) for n in range(2)]
    verifier = Verifier({"shown": desk.folder, "original": desk.originals}, dict)
    assert all(one.state == "intact" for one in verifier.walk(desk.links[:1]))
    claimed = [(one.link.event, "cam", one.link.hash) for one in made]
    assert [one.event for one in verifier.claims(claimed)] == ["e-1"]


def test_the_command_verifies_what_replay_wrote(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    made = [desk.prove(throw(f"e-{n}")) for n in range(2)]
    lines = [msgspec.json.encode(link) + b"\n" for link in desk.links]
    (desk.folder / CHAIN).write_bytes(b"".join(lines))
    assert main(["evidence", "verify", "--dir", str(desk.folder)]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert f"cam: newest link 2, {made[1].link.hash}" in told.err
    (desk.folder / made[0].facts["track_file"]).write_text("{}")
    assert main(["evidence", "verify", "--dir", str(desk.folder)]) == 1
    assert "CHANGED" in (out := capsys.readouterr().out) and "shown/track" in out
    (desk.folder / CHAIN).unlink()
    assert main(["evidence", "verify", "--dir", str(desk.folder)]) == 2
    assert command.EPILOG.count("evidence") >= 3


# --- the camera's calibration in pixels -----------------------------------------------------------


@pytest.mark.parametrize("lens", [(), (-0.2, 0.03, 0.0, 0.0)])
def test_a_place_on_the_wall_goes_to_its_pixel_and_back(lens: tuple[float, ...]) -> None:
    camera = seen_from(lens)
    wall = wall_of(camera, (640, 480))
    assert isinstance(wall, Wall)
    metres = np.array([[0.0, 0.0], [17.0, 17.0], [8.0, 3.0], [2.0, 15.0]])
    pixels = wall.pixels(metres)
    assert pixels is not None
    back = Facade(camera, (480, 640)).to_metres(pixels)
    # the detector fits a camera, which these four made-up points only nearly have
    assert back == pytest.approx(metres, abs=0.2)


def test_uncalibrated_and_badly_calibrated_cameras_have_no_wall() -> None:
    assert wall_of(None, SIZE) is None
    assert wall_of(Camera(device="cam", size=SIZE), SIZE) is None
    line = tuple((10.0 * n, 10.0 * n, 1.0 * n, 1.0 * n) for n in range(5))
    assert wall_of(Camera(device="cam", size=SIZE, points=line), SIZE) is None


def test_what_is_drawn_is_the_named_window_with_its_chance_and_the_next_ones() -> None:
    view = view_of(throw(), seen_from(), "Asia/Shanghai")
    assert [(w.label, w.named) for w in view.windows] == [("F4-2 0.93", True), ("F3-2 0.05", False)]
    assert len(view.homes) == 25 and len(view.wall) == 1
    assert (view.caption, view.zone_s) == ("cam", 8 * 3600)
    xs, ys = zip(*view.windows[0].polygon, strict=True)
    assert 120 < min(xs) < max(xs) < 180 and 20 < min(ys) < max(ys) < 90


def test_abstaining_draws_no_window_and_without_calibration_there_is_no_wall() -> None:
    assert view_of(throw(origin=None), seen_from(), "UTC").windows == []
    view = view_of(throw(), None, "UTC")
    assert (view.windows, view.wall, view.homes) == ([], [], [])


def test_a_chinese_zone_is_told_by_floor_and_bay_in_the_picture() -> None:
    camera = seen_from()
    zones = tuple(
        msgspec.structs.replace(z, id="四层东阳台") if z.id == "F4-2" else z for z in camera.zones
    )
    named = throw(origin={**ORIGIN, "zone": "四层东阳台"})
    view = view_of(named, msgspec.structs.replace(camera, zones=zones), "UTC")
    assert view.windows[0].label == "F4 B2 0.93"

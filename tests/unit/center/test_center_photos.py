"""Photographs with an action: written anew, kept by their content, seen by signed link."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from center.pictures import REF, renewed, size_of
from center.problems import Problem
from contracts.clock import iso
from tests.unit.center.conftest import OPERATOR, REPORTER, TOKENS, VIEWER, Client, Reply, Serve
from tests.unit.center.scene import Scene

SECRET_PLACE = b"GPS 30.2741N 120.1551E IMEI 490154203237518"


def picture(width: int = 640, height: int = 480, suffix: str = ".jpg") -> bytes:
    """Left half red, right half blue."""
    drawn = np.zeros((height, width, 3), np.uint8)
    drawn[:, : width // 2], drawn[:, width // 2 :] = (0, 0, 255), (255, 0, 0)
    ok, data = cv2.imencode(suffix, drawn)
    assert ok
    return data.tobytes()


def with_exif(jpeg: bytes, orientation: int) -> bytes:
    """The picture with an EXIF segment: an orientation, and what nobody should learn."""
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = b"II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0) + SECRET_PLACE
    segment = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]


def decoded(data: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def send(client: Client, path: str, data: bytes, type_: str = "image/jpeg", **more: Any) -> Reply:
    return client.ask("POST", path, data, headers={"Content-Type": type_}, **more)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_nothing_of_the_file_stays_but_what_can_be_seen() -> None:
    sent = with_exif(picture(), 1)
    assert SECRET_PLACE in sent
    kept, size = renewed(sent)
    assert size == (640, 480)
    assert SECRET_PLACE not in kept
    assert b"Exif" not in kept
    assert decoded(kept)[240, 100].tolist() == pytest.approx([0, 0, 254], abs=12)


def test_a_picture_stands_upright_as_the_telephone_was_held() -> None:
    kept, size = renewed(with_exif(picture(), 6))  # 6: turn by 90° clockwise
    assert size == (480, 640)
    assert decoded(kept)[100, 240].tolist() == pytest.approx([0, 0, 254], abs=12)


def test_a_large_picture_becomes_small() -> None:
    _, size = renewed(picture(4000, 1000))
    assert size == (1600, 400)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_the_size_is_known_before_anything_is_decoded(suffix: str) -> None:
    assert size_of(picture(321, 123, suffix)) == (321, 123)


def huge() -> bytes:
    png = bytearray(picture(8, 8, ".png"))
    png[16:24] = struct.pack(">II", 60_000, 60_000)
    return bytes(png)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"GIF89a" + bytes(64),
        picture()[:2000],
        b"\xff\xd8" + bytes(100) + b"\xff\xd9",
        huge(),
        b"\x89PNG\r\n\x1a\n" + bytes(40),
    ],
    ids=["nothing", "gif", "cut", "hollow", "huge", "png without a picture"],
)
def test_what_is_no_picture_is_refused_in_both_languages(bad: bytes) -> None:
    with pytest.raises(Problem) as refused:
        renewed(bad)
    assert refused.value.status == 400
    assert " / " in refused.value.reason


def test_a_photograph_is_kept_by_its_content_and_shown_by_link(scene: Scene, serve: Serve) -> None:
    ticket = scene.happen("flooding")
    client = serve(tokens=TOKENS)
    path = f"/api/v1/tickets/{ticket}/photos?name=after"
    first = send(client, path, picture(), token=OPERATOR)
    assert first.status == 201
    assert REF.fullmatch(first.json["ref"])
    assert (first.json["name"], first.json["width"]) == ("after", 640)
    again = send(client, path, picture(), token=OPERATOR)
    assert again.json["ref"] == first.json["ref"]
    assert files(scene.evidence) == [scene.evidence / first.json["ref"]]
    assert ("desk", f"{first.json['ref']} added to tickets/{ticket}") in scene.desk.accesses

    now = iso(scene.desk.clock.now())
    told = {
        "after": [{"ref": first.json["ref"], "by": "w-01", "at": now}],
        "near": [{"ref": "../originals/cam-1/throw.mp4", "by": "w-01", "at": now}],
    }
    scene.desk.amend(ticket, reason={**scene.desk.nouns[ticket].reason, "photos": told})
    shown = client.get(f"/api/v1/tickets/{ticket}", token=VIEWER).json["photographs"]
    assert [(one["name"], one["by"]) for one in shown] == [("after", "w-01")]
    seen = client.get(shown[0]["photo"])
    assert (seen.status, seen.headers["content-type"]) == (200, "image/jpeg")
    assert ("anonymous (link)", f"evidence/{first.json['ref']}") in scene.desk.accesses
    withheld = client.get(f"/api/v1/tickets/{ticket}").json["photographs"]
    assert [one["photo"] for one in withheld] == [None]


def test_who_may_not_act_sends_no_photographs(scene: Scene, serve: Serve) -> None:
    path = f"/api/v1/tickets/{scene.happen('flooding')}/photos?name=after"
    client = serve(tokens=TOKENS)
    assert send(client, path, picture()).status == 401
    for token in (VIEWER, REPORTER):
        assert send(client, path, picture(), token=token).status == 403
    assert files(scene.evidence) == []


@pytest.mark.parametrize(
    ("query", "type_", "status"),
    [("?name=selfie", "image/jpeg", 400), ("", "text/html", 415), ("", "application/json", 415)],
)
def test_what_is_asked_wrongly_is_refused(
    scene: Scene, client: Client, query: str, type_: str, status: int
) -> None:
    path = f"/api/v1/tickets/{scene.happen('flooding')}/photos{query}"
    assert send(client, path, picture(), type_).status == status


def test_a_file_too_large_is_not_read_to_its_end(scene: Scene, client: Client) -> None:
    path = f"/api/v1/tickets/{scene.happen('flooding')}/photos"
    assert send(client, path, b"\xff\xd8" + bytes(8 * 2**20)).status == 413
    assert files(scene.evidence) == []


def test_what_cannot_be_noted_is_not_kept(scene: Scene, client: Client) -> None:
    path = f"/api/v1/tickets/{scene.happen('flooding')}/photos"
    noted = scene.desk.log_access

    async def away(*args: Any, **more: Any) -> None:
        raise OSError("the database is away")

    scene.desk.log_access = away  # type: ignore[method-assign]
    assert send(client, path, picture()).status == 503
    scene.desk.log_access = noted  # type: ignore[method-assign]
    assert files(scene.evidence) == []

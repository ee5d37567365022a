"""Evidence: only by link or token, only from the folder, every view noted."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from center.links import Signer
from contracts.clock import ManualClock
from tests.unit.center.conftest import OPERATOR, TOKENS, VIEWER, Client, Serve
from tests.unit.center.scene import START, Scene

SECRET = "a secret of ours, long"


@pytest.fixture
def files(scene: Scene) -> Path:
    folder = scene.evidence / "cam-1"
    folder.mkdir(parents=True)
    (folder / "throw.jpg").write_bytes(b"\xff\xd8\xffjpeg")
    (folder / "throw.mp4").write_bytes(bytes(range(200)))
    (folder / "page.html").write_text("<script>alert(1)</script>")
    (folder / ".hidden").write_text("x")
    (scene.evidence.parent / "secret.txt").write_text("outside")
    (folder / "way-out").symlink_to(scene.evidence.parent / "secret.txt")
    return folder


@pytest.fixture
def guarded(serve: Serve, files: Path) -> Client:
    return serve(tokens=TOKENS, evidence_secret=SECRET, evidence_link_s=600)


def test_a_signed_link_opens_its_file_until_it_expires(guarded: Client, scene: Scene) -> None:
    link = Signer(SECRET, 600, scene.desk.clock).sign("cam-1/throw.jpg")
    reply = guarded.get(link)
    assert (reply.status, reply.headers["content-type"]) == (200, "image/jpeg")
    assert scene.desk.accesses == [("anonymous (link)", "evidence/cam-1/throw.jpg")]
    assert isinstance(scene.desk.clock, ManualClock)
    scene.desk.clock.advance_to(START + timedelta(seconds=600 + 901))
    assert guarded.get(link).status == 403


def test_a_link_opens_nothing_else(guarded: Client, scene: Scene) -> None:
    link = Signer(SECRET, 600, scene.desk.clock).sign("cam-1/throw.jpg")
    for forged in (
        link.replace("throw.jpg", "throw.mp4"),
        link.replace("exp=1", "exp=2"),
        link[:-1] + ("A" if link[-1] != "A" else "B"),
        link.split("&sig", maxsplit=1)[0],
        link.split("?", maxsplit=1)[0] + "?exp=&sig=x",
        link.split("?", maxsplit=1)[0] + "?exp=٣&sig=x",
        Signer("another secret of ours", 600, scene.desk.clock).sign("cam-1/throw.jpg"),
    ):
        assert guarded.get(forged.encode("ascii", "ignore").decode()).status in (401, 403)
    assert scene.desk.accesses == []


def test_a_token_opens_it_too(guarded: Client, scene: Scene) -> None:
    path = "/evidence/cam-1/throw.jpg"
    assert guarded.get(path).status == 401
    assert guarded.get(path, token="reporter-token-0001").status == 403
    assert guarded.get(path, token=VIEWER).status == 200
    assert scene.desk.accesses == [("wall", "evidence/cam-1/throw.jpg")]


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt", "cam-1/../../secret.txt", "cam-1/..%2f..%2fsecret.txt",
        "%2e%2e/secret.txt", "cam-1/way-out", "cam-1/.hidden", "cam-1", "cam-1/", "/etc/passwd",
        "%2fetc%2fpasswd", "cam-1\\throw.jpg", "cam-1/throw.jpg%00", "cam-1//throw.jpg",
        "x" * 300, "nothing.jpg",
    ],
)  # fmt: skip
def test_nothing_outside_the_folder_can_be_had(guarded: Client, path: str) -> None:
    assert guarded.get(f"/evidence/{path}", token=OPERATOR).status == 404


def test_a_clip_can_be_sought_in_and_counts_as_one_view(guarded: Client, scene: Scene) -> None:
    path = "/evidence/cam-1/throw.mp4"
    reply = guarded.get(path, token=VIEWER, headers={"Range": "bytes=0-"})
    assert (reply.status, reply.headers["content-type"]) == (206, "video/mp4")
    reply = guarded.get(path, token=VIEWER, headers={"Range": "bytes=100-109"})
    assert (reply.status, reply.body) == (206, bytes(range(100, 110)))
    assert reply.headers["content-range"] == "bytes 100-109/200"
    assert len(scene.desk.accesses) == 1


def test_other_files_are_downloads_that_run_nothing(guarded: Client) -> None:
    headers = guarded.get("/evidence/cam-1/page.html", token=VIEWER).headers
    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"] == "attachment"
    assert "sandbox" in headers["content-security-policy"]


def test_a_view_that_cannot_be_noted_is_not_shown(guarded: Client, scene: Scene) -> None:
    scene.desk.down = True
    assert guarded.get("/evidence/cam-1/throw.jpg", token=VIEWER).status == 503


def test_links_made_close_together_are_the_same(scene: Scene) -> None:
    clock = ManualClock(START)
    signer = Signer(SECRET, 600, clock, "https://grid.example.cn")
    first = signer.sign("a b/图.jpg")
    clock.advance_to(START + timedelta(seconds=60))
    assert signer.sign("a b/图.jpg") == first
    assert first.startswith("/evidence/a%20b/%E5%9B%BE.jpg?exp=")
    assert signer.sign("x.jpg", absolute=True).startswith("https://grid.example.cn/evidence/x.jpg?")

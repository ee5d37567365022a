"""`gridsentry plot`: from a running service to a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from center.server import CenterServer
from center.settings import CenterSettings, Token
from gridsentry.cli import main
from tests.unit.center.scene import Scene
from tests.unit.center.wet import drench, rising

TOKEN = "operator-token-0001"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[CenterServer]:
    scene = Scene(tmp_path / "evidence")
    drench(scene)
    scene.happen("flooding", evidence=rising(scene.desk.clock.now()))
    scene.happen("citizen_report")
    scene.happen("severed_cable")
    token = Token(token=TOKEN, name="desk", role="operator")
    server = scene.server(CenterSettings(port=0, tokens=(token,)))
    server.start()
    yield server
    server.stop(2.0)


@pytest.mark.parametrize("id_", ["t-1", "i-1", "e-flooding-1"])
def test_ticket_incident_and_event_are_found_by_their_id_alone(
    service: CenterServer, tmp_path: Path, id_: str
) -> None:
    out = tmp_path / "flood.svg"
    assert main(["plot", id_, "--url", service.url, "-o", str(out), "--lang", "en"]) == 0
    assert out.read_text().startswith("<svg")
    assert "forecast" in out.read_text()


def test_a_severed_cable_is_drawn_too(service: CenterServer, tmp_path: Path) -> None:
    out = tmp_path / "torn.svg"
    assert main(["plot", "t-3", "--url", service.url, "-o", str(out), "--lang", "en"]) == 0
    assert "sp4 88 %" in out.read_text()


@pytest.mark.parametrize(
    ("id_", "said"),
    [
        ("t-nobody", "there is no ticket, incident or event 't-nobody'"),
        ("t-2", "no readings or line"),
    ],
)
def test_what_cannot_be_drawn_is_told_in_one_line(
    service: CenterServer, capsys: pytest.CaptureFixture[str], id_: str, said: str
) -> None:
    assert main(["plot", id_, "--url", service.url, "-o", "-"]) == 1
    told = capsys.readouterr()
    assert said in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""


def test_a_token_we_do_not_know_is_told_as_such(
    service: CenterServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDSENTRY_TOKEN", "somebody-elses-token")
    assert main(["plot", "t-1", "--url", service.url, "-o", "-"]) == 1
    assert "not known" in capsys.readouterr().err


def test_a_service_that_does_not_answer_is_told_as_such(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["plot", "t-1", "--url", "http://127.0.0.1:9", "-o", "-"]) == 1
    assert "does not answer" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", [["-o", "flood.png"], ["--width", "12"], ["--url", "ftp://somewhere"]]
)
def test_wrong_usage_names_what_is_allowed(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot", "t-1", *wrong]) == 2
    assert wrong[0].replace("-o", "--out") in capsys.readouterr().err


def test_where_no_service_ever_ran_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "gridsentry.toml"
    assert main(["init", str(tmp_path / "city")]) == 0
    config.write_text(
        f'[service]\ncity = "{tmp_path / "city"}"\nstate_dir = "{tmp_path / "state"}"\n'
    )
    capsys.readouterr()
    assert main(["plot", "t-1", "--config", str(config)]) == 2
    assert "has no database" in capsys.readouterr().err

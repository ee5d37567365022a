"""The OpenAPI document is valid, and is what the center serves."""

from __future__ import annotations

import re
from collections import Counter

from aiohttp import web
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from center.context import CONTEXT
from center.metrics import METRICS
from center.pages import pages
from center.settings import CenterSettings
from tests.unit.center.conftest import Client
from tests.unit.center.scene import Scene


def served(app: web.Application) -> set[tuple[str, str]]:
    found = set()
    shown = {path for page in pages().values() for path in (page.path, *page.files)}
    for route in app.router.routes():
        path = re.sub(
            r"\{(\w+):[^}]*\}", r"{\1}", route.resource.canonical if route.resource else ""
        )
        page = path in shown or path.startswith("/static/")
        if route.method != "HEAD" and not page:
            found.add((route.method, path))
    return found


def test_the_document_is_valid_openapi_3_1(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_every_route_is_in_it_and_nothing_else(client: Client, scene: Scene) -> None:
    document = client.get("/api/v1/openapi.json").json
    described = {
        (method.upper(), path) for path, item in document["paths"].items() for method in item
    }
    app = client.server._make()
    assert described == served(app)
    assert app[CONTEXT].city is scene.city
    names = Counter(
        operation["operationId"]
        for item in document["paths"].values()
        for operation in item.values()
    )
    assert set(names.values()) == {1}


def test_answers_keep_to_their_schemas(client: Client, scene: Scene) -> None:
    ticket = scene.happen("high_altitude_throw")
    document = client.get("/api/v1/openapi.json").json

    def check(path: str, described: str, status: str = "200") -> None:
        operation = document["paths"][described]["get"]
        schema = operation["responses"][status]["content"]["application/json"]["schema"]
        Draft202012Validator({**schema, "components": document["components"]}).validate(
            client.get(path).json
        )

    check("/api/v1/tickets", "/api/v1/tickets")
    check(f"/api/v1/tickets/{ticket}", "/api/v1/tickets/{id}")
    check("/api/v1/incidents", "/api/v1/incidents")
    check("/api/v1/events", "/api/v1/events")
    check("/readyz", "/readyz")
    check("/api/v1/tickets/none", "/api/v1/tickets/{id}", "default")


def test_the_metrics_table_names_what_is_registered(client: Client) -> None:
    text = client.get("/metrics").body.decode()
    for metric in METRICS:
        assert f"# HELP {metric.name} {metric.help}" in text


def test_settings_are_all_documented() -> None:
    import ast
    import inspect

    from center import settings as module

    tree = ast.parse(inspect.getsource(module))
    documented = {
        first.target.id
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for first, then in zip(node.body, node.body[1:], strict=False)
        if isinstance(first, ast.AnnAssign)
        and isinstance(first.target, ast.Name)
        and isinstance(then, ast.Expr)
    }
    assert set(CenterSettings.__struct_fields__) <= documented

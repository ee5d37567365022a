"""What comes from npm is pinned, may be shipped, and is what was pinned."""

from __future__ import annotations

import base64
import hashlib
import http.server
import importlib.util
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
PINS: dict[str, dict[str, Any]] = json.loads((ROOT / "tools/assets.json").read_text("utf-8"))
SHIPPED = {"MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Apache-2.0", "0BSD"}
"""Licences of what goes into wheel and image."""
USED = SHIPPED | {"MPL-2.0"}
"""Licences of what only tests run."""
WORDS = {
    "MIT": "Permission is hereby granted, free of charge",
    "BSD-2-Clause": "Redistribution and use in source and binary forms",
    "Apache-2.0": "Apache License",
    "MPL-2.0": "Mozilla Public License",
}


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("assets", ROOT / "tools/assets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


assets = load()


@pytest.mark.parametrize("name", PINS)
def test_a_package_is_pinned_by_version_hash_and_a_licence_that_fits(name: str) -> None:
    pin = PINS[name]
    assert pin["version"].count(".") == 2
    assert len(base64.b64decode(pin["integrity"].removeprefix("sha512-"))) == 64
    assert pin["licence"] in (SHIPPED if pin["into"].startswith("center/") else USED)
    assert any(file.startswith("LICENSE") for file in pin["files"])


@pytest.mark.parametrize("name", PINS)
def test_what_lies_here_is_what_was_pinned_with_its_licence(name: str) -> None:
    pin = PINS[name]
    folder = ROOT / pin["into"]
    assert assets.is_there(pin, folder), f"{folder}: python3 tools/assets.py test"
    text = next(folder.glob("LICENSE*")).read_text("utf-8")
    assert WORDS[pin["licence"]] in text


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, body in files.items():
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return out.getvalue()


TARBALL = packed({"LICENSE": b"free", "dist/lib.js": b"export {}", "src/big.js": b"not wanted"})
PIN = {
    "version": "1.2.3",
    "integrity": "sha512-" + base64.b64encode(hashlib.sha512(TARBALL).digest()).decode(),
    "licence": "MIT",
    "into": "center/vendor/lib",
    "files": ["LICENSE", "dist/lib.js"],
}


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    asked: list[str] = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            found = self.path == "/npm/lib/-/lib-1.2.3.tgz"
            self.send_response(200 if found else 404)
            self.end_headers()
            if found:
                self.wfile.write(TARBALL)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{server.server_port}/npm/")
    yield asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_package_is_fetched_once_from_the_configured_registry(
    registry: list[str], tmp_path: Path
) -> None:
    assert assets.bring("lib", PIN, tmp_path)
    folder = tmp_path / "center/vendor/lib"
    assert {f.name for f in folder.iterdir()} == {"LICENSE", "lib.js", ".stamp"}
    assert not assets.bring("lib", PIN, tmp_path)
    assert registry == ["/npm/lib/-/lib-1.2.3.tgz"]


def test_what_was_edited_is_made_anew(registry: list[str], tmp_path: Path) -> None:
    assets.bring("lib", PIN, tmp_path)
    file = tmp_path / "center/vendor/lib/lib.js"
    file.write_bytes(b"evil()")
    assert assets.bring("lib", PIN, tmp_path)
    assert file.read_bytes() == b"export {}"


def test_another_hash_is_not_used(registry: list[str], tmp_path: Path) -> None:
    other = {**PIN, "integrity": "sha512-" + base64.b64encode(bytes(64)).decode()}
    with pytest.raises(assets.Missing, match="another hash"):
        assets.bring("lib", other, tmp_path)
    assert not (tmp_path / "center/vendor/lib").exists()


def test_a_registry_out_of_reach_is_said_with_what_helps(
    registry: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(assets.Missing, match=r"404.*npm_config_registry"):
        assets.bring("lib", {**PIN, "version": "9.9.9"}, tmp_path)
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    with pytest.raises(assets.Missing, match=r"refused.*HTTPS_PROXY"):
        assets.bring("lib", PIN, tmp_path)

#!/usr/bin/env python3
"""Brings what the pages and their tests need from npm, with the standard library alone (no Node).

    python3 tools/assets.py run     what the pages load: center/vendor/, served, in wheel and image
    python3 tools/assets.py test    that, and what lint and the browser tests need: build/assets/

`tools/assets.json` pins each package: version, the sha512 that the registry published, licence, the
files taken. A package is fetched once; what lies in its place is checked against its stamp, so an
edited or half-written folder is made anew. The registry is npm's own, or what npm is configured for
here (`npm_config_registry`, `.npmrc`).
"""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import io
import json
import os
import shutil
import ssl
import sys
import tarfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PINS = Path(__file__).resolve().with_name("assets.json")
NPM = "https://registry.npmjs.org"
STAMP = ".stamp"
TRIES = 3
SERVED = "center/vendor/"


class Missing(Exception):
    """A package could not be brought; the text is for people."""


def configured() -> dict[str, str]:
    """What npm is told on this machine, nearest first: environment, .npmrc here, of this user, of
    this machine."""
    found: dict[str, str] = {}
    for name in ("registry", "cafile"):
        for variable in (f"npm_config_{name}", f"NPM_CONFIG_{name.upper()}"):
            if os.environ.get(variable):
                found.setdefault(name, os.environ[variable])
    for file in (ROOT / ".npmrc", Path.home() / ".npmrc", Path("/etc/npmrc")):
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except OSError:
            continue
        for line in lines:
            key, equals, value = line.partition("=")
            if equals and not key.lstrip().startswith((";", "#")):
                found.setdefault(key.strip(), value.strip().strip('"'))
    return found


def address(registry: str, name: str, version: str) -> str:
    """Where a registry keeps a package: `{registry}/{name}/-/{last part of name}-{version}.tgz`."""
    return f"{registry.rstrip('/')}/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"


def download(url: str, cafile: str | None) -> bytes:
    """The bytes at `url`. Raises Missing saying why not, after some tries."""
    trusted = os.environ.get("SSL_CERT_FILE") or cafile
    context = ssl.create_default_context(cafile=trusted if trusted else None)
    why = ""
    for _ in range(TRIES):
        try:
            with urllib.request.urlopen(url, timeout=60, context=context) as answer:
                body: bytes = answer.read()
                return body
        except urllib.error.HTTPError as error:
            error.close()
            why = str(error)
            if error.code < 500:
                break
        except OSError as error:
            why = str(getattr(error, "reason", error))
    host = urllib.parse.urlsplit(url).hostname
    raise Missing(
        f"cannot fetch {url}: {why}. The pages need it once; make {host} reachable (HTTPS_PROXY), "
        "or name a registry that is: npm_config_registry=https://… or `registry=` in ~/.npmrc"
    )


def checked(data: bytes, integrity: str, where: str) -> bytes:
    """`data` when it has the pinned hash (Subresource Integrity form). Raises Missing otherwise."""
    algorithm, _, wanted = integrity.partition("-")
    found = base64.b64encode(hashlib.new(algorithm, data).digest()).decode()
    if found != wanted:
        raise Missing(f"{where} has another hash than tools/assets.json pins: not used")
    return data


def unpacked(tarball: bytes, patterns: list[str], name: str) -> dict[str, bytes]:
    """The wanted files by their name without folders. Raises Missing when one is not in it."""
    found: dict[str, bytes] = {}
    met: set[str] = set()
    with tarfile.open(fileobj=io.BytesIO(tarball), mode="r:gz") as tar:
        for member in tar:
            inside = member.name.partition("/")[2]  # below "package/", or a name of its own
            matched = [p for p in patterns if fnmatch.fnmatchcase(inside, p)]
            content = tar.extractfile(member) if matched and member.isfile() else None
            if content is not None:
                met.update(matched)
                found[Path(inside).name] = content.read()
    lacking = [p for p in patterns if p not in met]
    if lacking:
        raise Missing(f"the package {name} has no {', '.join(lacking)}")
    return found


def stamp_of(pin: dict[str, Any], files: dict[str, bytes]) -> str:
    """What a finished folder is known by: the pin, and the hash of every file."""
    hashes = {name: hashlib.sha256(body).hexdigest() for name, body in sorted(files.items())}
    return json.dumps({"pin": pin, "files": hashes}, sort_keys=True)


def is_there(pin: dict[str, Any], folder: Path) -> bool:
    """Whether the folder holds exactly what was taken for this pin."""
    try:
        stamp = (folder / STAMP).read_text(encoding="utf-8")
        names = json.loads(stamp)["files"]
        return stamp == stamp_of(pin, {name: (folder / name).read_bytes() for name in names})
    except (OSError, ValueError, KeyError):
        return False


def bring(name: str, pin: dict[str, Any], root: Path = ROOT) -> bool:
    """Make the package's folder below `root`; False when it was there. Raises Missing."""
    folder = root / pin["into"]
    if is_there(pin, folder):
        return False
    conf = configured()
    scope = name.partition("/")[0] if name.startswith("@") else ""
    registry = conf.get(f"{scope}:registry") or conf.get("registry") or NPM
    url = address(registry, name, pin["version"])
    files = unpacked(
        checked(download(url, conf.get("cafile")), pin["integrity"], url), pin["files"], name
    )
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for file, body in files.items():
        (part / file).write_bytes(body)
    (part / STAMP).write_text(stamp_of(pin, files), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    print(f"assets: {name} {pin['version']} is in {pin['into']}", file=sys.stderr, flush=True)
    return True


def pins() -> dict[str, dict[str, Any]]:
    """The packages of tools/assets.json by name."""
    read: dict[str, dict[str, Any]] = json.loads(PINS.read_text(encoding="utf-8"))
    return read


def bring_all(*, tests: bool, root: Path = ROOT) -> None:
    """What `run` needs, or all. Raises Missing."""
    for name, pin in pins().items():
        if tests or pin["into"].startswith(SERVED):
            bring(name, pin, root)


def main() -> int:
    """0 done, 1 a package could not be brought, 2 wrong usage."""
    what = sys.argv[1] if len(sys.argv) == 2 else ""
    if what not in ("run", "test"):
        print("usage: python3 tools/assets.py run|test", file=sys.stderr)
        return 2
    try:
        bring_all(tests=what == "test")
    except Missing as error:
        print(f"assets: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

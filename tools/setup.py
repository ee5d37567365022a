#!/usr/bin/env python3
"""Sets up what a fresh machine needs, with the standard library alone.

    python3 tools/setup.py run     what `make run` needs: uv, the locked environment, the pages'
                                   libraries, a broker
    python3 tools/setup.py test    what `make test` needs: that, and Mosquitto, Chromium, Node

Takes the uv wheel from the configured package index (no pip, no ensurepip needed), lets uv make the
locked environment with this machine's Python, and installs Debian packages where it may (root, or
sudo without a password); elsewhere it says the command.
"""

from __future__ import annotations

import configparser
import hashlib
import html.parser
import io
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "build" / "tools"
VENV = ROOT / ".venv"
UV_VERSION = "0.13.9"
PYPI = "https://pypi.org/simple"
EXTRAS = ("town", "broker")

# program → Debian package
FOR_TESTS = {
    "mosquitto": "mosquitto",
    "mosquitto_sub": "mosquitto-clients",
    "chromium": "chromium",
    "node": "nodejs",
    "npm": "npm",
    "openssl": "openssl",
    "nats-server": "nats-server",
    "rabbitmq-server": "rabbitmq-server",
}
FONTS = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")  # pages are Chinese too


def say(text: str) -> None:
    print(f"setup: {text}", file=sys.stderr, flush=True)


def die(text: str) -> None:
    say(text)
    sys.exit(1)


def index_url() -> str:
    """The package index this machine is configured for: uv's or pip's variables, then pip.conf."""
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        if os.environ.get(name):
            return os.environ[name].rstrip("/")
    home = Path.home()
    for conf in (
        Path(os.environ.get("PIP_CONFIG_FILE", "/nonexistent")),
        home / ".config/pip/pip.conf",
        home / ".pip/pip.conf",
        Path("/etc/xdg/pip/pip.conf"),
        Path("/etc/pip.conf"),
    ):
        parsed = configparser.ConfigParser(interpolation=None)
        try:
            parsed.read(conf)
        except configparser.Error:
            continue
        if parsed.has_option("global", "index-url"):
            return parsed.get("global", "index-url").rstrip("/")
    return PYPI


def fetch(url: str) -> bytes:
    cafile = os.environ.get("SSL_CERT_FILE") or os.environ.get("PIP_CERT")
    context = ssl.create_default_context(cafile=cafile if cafile else None)
    with urllib.request.urlopen(url, timeout=120, context=context) as answer:
        return answer.read()


class Links(html.parser.HTMLParser):
    """The hrefs of a simple-index page."""

    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.hrefs += [value for name, value in attrs if name == "href" and value]


def wheel_tag() -> str:
    """What the name of uv's wheel for this machine ends in."""
    machine = platform.machine()
    system = platform.system()
    if system == "Darwin":
        return r"macosx_.*_" + ("arm64" if machine == "arm64" else "x86_64")
    if system != "Linux":
        die(f"{system} is not supported; use Debian 12+, Ubuntu 24.04+ or a container of them")
    libc = "musllinux" if "musl" in (platform.libc_ver()[0] or "musl") else "manylinux"
    return rf"{libc}_[0-9_]+.*{re.escape(machine)}"


def get_uv() -> Path:
    """uv's program: one on PATH of the right age, or the wheel's, checked by its hash."""
    uv = TOOLS / "uv"
    if uv.is_file():
        return uv
    index = index_url()
    page_url = f"{index}/uv/"
    say(f"taking uv {UV_VERSION} from {urllib.parse.urlsplit(index).hostname}")
    try:
        page = fetch(page_url).decode()
    except OSError as error:
        on_path = shutil.which("uv")
        if on_path:
            say(f"the index does not answer ({error}); using {on_path}")
            return Path(on_path)
        die(f"cannot read {page_url}: {error}. Set PIP_INDEX_URL to an index you can reach.")
    links = Links()
    links.feed(page)
    pattern = re.compile(r"/uv-([0-9.]+)-py3-none-.*" + wheel_tag() + r"\.whl(#|$)")
    found = [(m.group(1), href) for href in links.hrefs if (m := pattern.search(href))]
    if not found:
        die(f"no uv wheel for {platform.machine()} at {page_url}")
    wanted = [f for f in found if f[0] == UV_VERSION]
    version, href = (wanted or [max(found, key=lambda f: [int(x) for x in f[0].split(".")])])[0]
    url, _, fragment = urllib.parse.urljoin(page_url, href).partition("#")
    data = fetch(url)
    if fragment.startswith("sha256="):
        digest = hashlib.sha256(data).hexdigest()
        if digest != fragment.removeprefix("sha256="):
            die(f"{url} does not have the hash the index gives: not used")
    wheel = zipfile.ZipFile(io.BytesIO(data))
    name = next(n for n in wheel.namelist() if n.endswith("/scripts/uv"))
    TOOLS.mkdir(parents=True, exist_ok=True)
    part = TOOLS / "uv.part"
    part.write_bytes(wheel.read(name))
    part.chmod(0o755)
    part.replace(uv)
    say(f"uv {version} is at {uv.relative_to(ROOT)}")
    return uv


def environment(uv: Path, *, tests: bool) -> None:
    """The locked environment in .venv; nothing is done when it is up to date."""
    lock = (ROOT / "uv.lock").read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    stamp = VENV / ".gridsentry-stamp"
    state = hashlib.sha256(lock + sys.version.encode()).hexdigest() + f" tests={tests}\n"
    if stamp.is_file() and (
        stamp.read_text() == state
        or stamp.read_text() == state.replace("tests=False", "tests=True")
    ):
        return
    env = dict(os.environ, UV_PYTHON_DOWNLOADS="never", UV_PYTHON=sys.executable)
    # Trust what this machine trusts (a company's own index has a certificate of its own); the
    # second name is for older uv.
    env.setdefault("UV_SYSTEM_CERTS", "true")
    if uv.parent != TOOLS:
        env.setdefault("UV_NATIVE_TLS", "true")
    env.pop("VIRTUAL_ENV", None)
    if os.environ.get("PIP_CERT") and not os.environ.get("SSL_CERT_FILE"):
        env["SSL_CERT_FILE"] = os.environ["PIP_CERT"]
    extras = [part for extra in EXTRAS for part in ("--extra", extra)]
    groups = ["--group", "dev"] if tests else ["--no-default-groups"]
    index = index_url()
    say("making the locked environment in .venv (a minute on first use)")
    if index == PYPI:
        run([str(uv), "sync", "--frozen", *extras, *groups], env)
    else:
        # uv.lock names the public index; another one is asked for the same files by hash.
        wanted = TOOLS / "requirements.txt"
        run(
            [
                *(str(uv), "export", "--frozen", "--no-emit-project", "-q"),
                *extras,
                *groups,
                *("-o", str(wanted)),
            ],
            env,
        )
        if not (VENV / "bin" / "python").exists():
            run([str(uv), "venv", "-q", str(VENV)], env)
        target = ["--python", str(VENV / "bin" / "python"), "--default-index", index]
        run([str(uv), "pip", "sync", "-q", "--require-hashes", *target, str(wanted)], env)
        run([str(uv), "pip", "install", "-q", "--no-deps", *target, "-e", str(ROOT)], env)
    stamp.write_text(state)


def run(command: list[str], env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=ROOT, env=env, check=False)
    if done.returncode:
        die(f"failed: {' '.join(command)}")


def missing(programs: dict[str, str]) -> list[str]:
    where = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/sbin"])
    return [
        package for program, package in programs.items() if not shutil.which(program, path=where)
    ]


def may_install() -> list[str] | None:
    """What to put before apt-get, or None when this user may not install."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        asked = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
        if asked.returncode == 0:
            return ["sudo", "-n"]
    return None


def debian(packages: list[str]) -> bool:
    """Install them without starting services of theirs; whether it worked."""
    before = may_install()
    if before is None:
        return False
    say(f"installing {', '.join(packages)} from Debian's packages")
    # Our broker is a child of ours: a system service on the same port would only be in the way.
    policy = Path("/usr/sbin/policy-rc.d")
    placed = False
    if os.geteuid() == 0 and not policy.exists():
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        placed = True
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    try:
        apt = [*before, "apt-get", "-q", "-o", "Dpkg::Use-Pty=0"]
        for command in (
            [*apt, "update"],
            [*apt, "install", "-y", "--no-install-recommends", *packages],
        ):
            done = subprocess.run(command, env=env, stdout=subprocess.DEVNULL, check=False)
        return done.returncode == 0
    finally:
        if placed:
            policy.unlink()


def broker_for_run() -> None:
    if missing({"mosquitto": "mosquitto"}) and not debian(["mosquitto"]):
        say(
            "Mosquitto is not here and may not be installed: using the embedded broker iotcore, "
            "which forgets what is queued when it restarts. Better: sudo apt-get install mosquitto"
        )


def programs_for_tests() -> None:
    lacking = missing(FOR_TESTS)
    if not FONTS.is_file():
        lacking.append("fonts-noto-cjk")
    if lacking and not debian(lacking):
        die(f"the tests need {', '.join(lacking)}: sudo apt-get install -y {' '.join(lacking)}")
    still = missing(FOR_TESTS)
    if still:
        die(f"still missing after installing: {', '.join(still)}")
    run(["sh", "tests/timescale/install.sh"])


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - this file runs before anything checks the version
        die(f"Python 3.11 or newer is needed, this is {platform.python_version()}")
    what = sys.argv[1] if len(sys.argv) > 1 else "run"
    if what not in ("run", "test", "env"):
        die("usage: python3 tools/setup.py run|test|env")
    environment(get_uv(), tests=what != "run")
    run([sys.executable, "tools/assets.py", "test" if what == "test" else "run"])
    if what == "run":
        broker_for_run()
    elif what == "test":
        programs_for_tests()


if __name__ == "__main__":
    main()

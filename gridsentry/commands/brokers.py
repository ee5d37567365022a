"""Which broker, as people write it on a command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import msgspec

from contracts.errors import Wrong

if TYPE_CHECKING:
    from ingest.settings import MqttSettings

ALLOWED = "mqtt://host:1883 or mqtts://user:password@host:8883"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of a command that talks to a broker for long."""
    group = parser.add_argument_group("broker")
    group.add_argument(
        "--broker",
        metavar="URL",
        required=True,
        help="mqtt://[user:password@]host[:port], or mqtts:// for TLS",
    )
    group.add_argument("--user", metavar="NAME", help="the broker's user, instead of in the URL")
    group.add_argument(
        "--password-file",
        type=Path,
        metavar="FILE",
        help="file with the password: it then stays out of the process list",
    )
    group.add_argument(
        "--tls-ca",
        metavar="FILE",
        help="certificates the broker's must descend from (default: the system's)",
    )
    group.add_argument("--tls-cert", metavar="FILE", help="our own certificate")
    group.add_argument("--tls-key", metavar="FILE", help="its key")


def chosen(args: argparse.Namespace, client_id: str) -> MqttSettings:
    """The settings that `add_options` asked for. Raises Wrong."""
    settings = broker_settings(args.broker)
    password = settings.password
    if args.password_file is not None:
        try:
            password = args.password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise Wrong("--password-file", f"{args.password_file}: {error}", "a text file") from (
                error
            )
    for option in ("tls_ca", "tls_cert", "tls_key"):
        given, name = getattr(args, option), "--" + option.replace("_", "-")
        if given is not None and not settings.tls:
            raise Wrong(name, f"with {args.broker}", "a broker by mqtts://")
        if given is not None and not Path(given).is_file():
            raise Wrong(name, f"there is no file {given}", "a PEM file")
    return msgspec.structs.replace(
        settings,
        client_id=client_id,
        username=args.user or settings.username,
        password=password,
        tls_ca=args.tls_ca,
        tls_cert=args.tls_cert,
        tls_key=args.tls_key,
    )


def broker_settings(url: str) -> MqttSettings:
    """`mqtt[s]://[user[:password]@]host[:port]` as settings. Raises Wrong."""
    from ingest.settings import MqttSettings

    try:
        parts = urlsplit(url if "://" in url else f"mqtt://{url}")
        secure = parts.scheme in ("mqtts", "ssl", "tls")
        port = parts.port or (8883 if secure else 1883)
    except ValueError as error:
        raise Wrong("--broker", f"{url} ({error})", ALLOWED) from error
    if not parts.hostname or not (secure or parts.scheme in ("mqtt", "tcp")):
        raise Wrong("--broker", repr(url), ALLOWED)
    return MqttSettings(
        host=parts.hostname,
        port=port,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        tls=secure,
    )

"""How names and places are written in a mapping file: JSONPath and TOML."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def path(steps: Iterable[str], root: str) -> str:
    """A JSONPath from `root` along names, `*`, places and filters."""
    out = root
    for step in steps:
        if step == "*":
            out += "[*]"
        elif step.startswith("[?"):
            out += step
        elif step.isdigit():
            out += f"[{step}]"
        elif _PLAIN.fullmatch(step):
            out += f".{step}"
        else:
            out += f"[{literal(step)}]"
    return out


def path_of(steps: tuple[str, ...], base: tuple[str, ...]) -> str:
    """From the record (`@`) where it lies in it, else from the message (`$`)."""
    if base and steps[: len(base)] == base:
        return path(steps[len(base) :], "@")
    return path(steps, "$")


def literal(text: str) -> str:
    """A text as it is written in a path."""
    told = "".join(c if c >= " " else f"\\u{ord(c):04x}" for c in text.replace("\\", "\\\\"))
    return "'" + told.replace("'", "\\'") + "'"


def key_of(name: str) -> str:
    """A key of TOML."""
    return name if _PLAIN.fullmatch(name) else quoted(name)


def quoted(text: str) -> str:
    """A TOML string: JSON's escapes are TOML's."""
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")


def line(text: str) -> str:
    """A text that fits into a comment."""
    return "".join(c if c.isprintable() else "?" for c in text)[:80]

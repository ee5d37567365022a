"""The key of what the center signs, where the configuration has none: made once, kept on disk."""

from __future__ import annotations

import secrets
from pathlib import Path


def kept_secret(state: Path) -> str:
    """The key in the state folder, made when missing, so that links and codes outlive a restart."""
    path = state / "evidence.secret"
    if not path.is_file():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text().strip()

"""Log archiving of the embedded PostgreSQL: restores to any minute (deploy/postgres/pitr.sh)."""

from __future__ import annotations

from pathlib import Path

from contracts.errors import Wrong

ARCHIVE_TIMEOUT_S = 60
"""Log of a quiet database is archived at least this often: what a loss of the machine costs."""
_COMMAND = (
    'if test -f "{to}"; then cmp -s "%p" "{to}"; else '
    'cp "%p" "{to}.part" && sync "{to}.part" && mv "{to}.part" "{to}" && sync "{folder}"; fi'
)
"""The same bytes again are fine (the server may have been killed in between), others never are."""


def options(folder: str | None) -> dict[str, str]:
    """Server settings that archive into `folder`; none where there is none.

    Raises Wrong where the folder cannot be named in a server's settings or is not there.
    """
    if folder is None:
        return {}
    path = Path(folder).absolute()
    if any(sign in str(path) for sign in "\"'%\\$`\n"):
        raise Wrong("store.embedded_archive", f"{folder!r} has quotes, % or $", "a plain path")
    if not path.is_dir():
        raise Wrong(
            "store.embedded_archive",
            f"{path} is no folder",
            "one on another disk, writable for the account that PostgreSQL runs as",
        )
    return {
        "wal_level": "replica",
        "max_wal_senders": "4",
        "archive_mode": "on",
        "archive_command": _COMMAND.format(to=f"{path}/%f", folder=path),
        "archive_timeout": str(ARCHIVE_TIMEOUT_S),
        # A server that is being restored answers once it is restored, not read-only before.
        "hot_standby": "off",
    }

"""deploy/mosquitto/mosquitto.conf: the broker of docker-compose.yml, with limits of our own."""

from __future__ import annotations

from ingest.broker_config import render

FOLDER = "/mosquitto"

_HEAD = "# Written by `make docs` from ingest/broker_config.py; do not edit.\n"
_TAIL = """
# What this machine adds, such as tls.conf with a listener on 8883.
include_dir {folder}/config/conf.d
"""


def mosquitto_conf(folder: str = FOLDER, *, port: int = 1883, user: str | None = None) -> str:
    """The configuration of the broker whose `config`, `secrets` and `data` lie below `folder`.

    Tests give a folder, port and user of their own to run the very same file.
    """
    text = render(
        port=port,
        bind=None,
        data=f"{folder}/data",
        password_file=f"{folder}/secrets/passwords",
        acl_file=f"{folder}/config/acl",
        user=user,
        log="stdout",
    )
    return _HEAD + text + _TAIL.format(folder=folder)

"""The Mosquitto configuration we ship: for the embedded broker and for compose.

Mosquitto's defaults lose messages that it has acknowledged, so every limit is set, each with its
reason; the text is what an operator reads.
"""

from __future__ import annotations

from pathlib import Path

_TEMPLATE = """\
# Mosquitto for Gridsentry. Every setting says why it is here.

listener {port}{bind}
# {bind_reason}

{access}

# Queues. The default of 1,000 queued messages silently drops what the broker has acknowledged to
# the gateway (measured: 36 % of a backlog). 0 should mean "no limit" but is broken in some 2.0.x,
# so the number is large and the bytes are the true bound.
max_queued_messages 10000000
max_queued_bytes {queued_bytes}

# How many messages may be on their way to one client. Ours says so itself with MQTT 5 (Receive
# Maximum); this is for MQTT 3.1.1, where the default of 20 slows it down and drops the rest.
max_inflight_messages 10000
max_inflight_bytes 0

# The largest message: a piece of video has up to 40 MiB. The default admits 256 MB.
message_size_limit {message_bytes}

# Sessions whose client never comes back would fill the disk for ever.
persistent_client_expiration 14d

# Queues survive a restart. On SIGTERM everything is saved; on a crash or power cut what came since
# the last save is lost: that is this broker's promise, and why the interval is short. It saves
# the whole database each time, so shorter costs more disk.
persistence true
persistence_location {data}/
persistence_file mosquitto.db
autosave_interval {autosave}
autosave_on_changes false

# Small messages leave at once.
set_tcp_nodelay true

log_dest {log}
log_type error
log_type warning
log_type notice
connection_messages false
"""


def render(
    *,
    port: int,
    data: Path | str,
    bind: str | None = "127.0.0.1",
    password_file: Path | str | None = None,
    acl_file: Path | str | None = None,
    user: str | None = None,
    autosave_s: int = 30,
    max_queued_bytes: int = 4 * 2**30,
    max_message_bytes: int = 48 * 2**20,
    log: str = "stderr",
) -> str:
    """The text of mosquitto.conf.

    port, bind      where it listens; without `password_file` only on this machine
    data            folder for its database
    user            whom it becomes when started as root (it must own `data`)
    Raises ValueError for a listener that others can reach without a password.
    """
    local = bind in ("127.0.0.1", "::1", "localhost")
    if not local and password_file is None:
        raise ValueError("a broker that others can reach needs a password file")
    if password_file is not None:
        access = "# Everybody says who they are.\nallow_anonymous false\n"
        access += f"password_file {password_file}"
        if acl_file is not None:
            access += (
                "\n# A gateway may send only as its own devices, a worker only as itself.\n"
                f"acl_file {acl_file}"
            )
    else:
        access = "# Only this machine can reach it.\nallow_anonymous true"
    if user is not None:
        access += f"\n\n# Started as root it becomes this user, who owns the database.\nuser {user}"
    return _TEMPLATE.format(
        port=port,
        bind=f" {bind}" if bind else "",
        bind_reason="Only this machine." if local else "Every address: passwords are required.",
        access=access,
        queued_bytes=max_queued_bytes,
        message_bytes=max_message_bytes,
        data=data,
        autosave=autosave_s,
        log=log,
    )

#!/bin/sh
# Point-in-time recovery with PostgreSQL's own means: archived log, base backups, restore to a time.
#
#   archive_command = '/path/pitr.sh archive "%p" "%f" /backup/wal'     in postgresql.conf
#   pitr.sh base /backup/base/2026-05-01              a base backup (PGHOST, PGUSER … say of what)
#   pitr.sh restore /backup/base/2026-05-01 /backup/wal '2026-05-01 08:15:00+08' /new/data/folder
#   pitr.sh restore /backup/base/2026-05-01 /backup/wal latest /new/data/folder
#   pitr.sh prune /backup/base/2026-05-01 /backup/wal  log that no base backup from this one on needs
#
# PG_BIN is the folder of PostgreSQL's programs, of the server's major version (default: PATH).
# docs/operating.md, "Point in time", has the whole procedure. Beyond some hundred gigabytes, or for
# several servers, use pgBackRest or WAL-G: they do the same in parallel, compressed and checked.
set -eu

die() {
    echo "pitr: $*" >&2
    exit 1
}

run() {
    name=$1
    shift
    if [ -n "${PG_BIN:-}" ]; then "$PG_BIN/$name" "$@"; else "$name" "$@"; fi
}

# Called by the server for each finished piece of log; anything but 0 makes it try again later.
archive() {
    from=$1 to=$3/$2
    [ -d "$3" ] || die "$3 is no folder: the log waits on the server until it is there"
    if [ -f "$to" ]; then
        # The server may ask again after a crash. The same bytes are fine, others never are.
        cmp -s "$from" "$to" && exit 0
        die "$to is there with other content: two servers archive into one folder"
    fi
    # Appears whole or not at all, and is on the disk before the server forgets its own.
    cp "$from" "$to.part"
    sync "$to.part"
    mv "$to.part" "$to"
    sync "$3"
}

base() {
    [ ! -e "$1" ] || [ -z "$(ls -A "$1")" ] || die "$1 is not empty"
    # -X stream: the log written meanwhile is in it, so that it is whole by itself.
    run pg_basebackup -D "$1" -Ft -z -X stream --checkpoint=fast --no-password --progress
    gzip -t "$1"/*.tar.gz
    echo "pitr: $1 is a base backup; restore with: pitr.sh restore $1 WAL TIME NEW_DATA_FOLDER"
}

restore() {
    base=$1 wal=$2 at=$3 data=$4
    [ -f "$base/base.tar.gz" ] || die "$base is no base backup (it has no base.tar.gz)"
    [ -d "$wal" ] || die "$wal is no folder of archived log"
    [ ! -e "$data" ] || [ -z "$(ls -A "$data")" ] || die "$data is not empty: move it away first"
    case $at in
        latest) at= ;;
        *[+-][0-9][0-9] | *[+-][0-9][0-9]:[0-9][0-9] | *Z | *UTC) ;;
        *) die "'$at' has no zone: write '2026-05-01 08:15:00+08', or latest" ;;
    esac
    mkdir -p "$data/pg_wal"
    # As root the files keep the server's account, by number.
    tar -xzf "$base/base.tar.gz" --numeric-owner -C "$data"
    tar -xzf "$base/pg_wal.tar.gz" --numeric-owner -C "$data/pg_wal"
    cp "$base/backup_manifest" "$data/backup_manifest"
    run pg_verifybackup --quiet "$data" || die "$base is spoilt: take the base backup before it"
    {
        echo "restore_command = 'cp \"$(cd "$wal" && pwd)/%f\" \"%p\"'"
        echo "recovery_target_time = '$at'"
        echo "recovery_target_action = 'promote'"
    } >>"$data/postgresql.auto.conf"
    : >"$data/recovery.signal"
    chmod 700 "$data"
    [ "$(id -u)" != 0 ] || chown --reference="$data/PG_VERSION" "$data" "$data"/* "$data/pg_wal"/*
    echo "pitr: $data is ready; start the server on it, it replays the log up to ${at:-the end}"
}

prune() {
    first=$(tar -xzOf "$1/base.tar.gz" backup_label | sed -n 's/^START WAL LOCATION:.*file \([0-9A-F]*\).*/\1/p')
    [ -n "$first" ] || die "$1 is no base backup"
    run pg_archivecleanup "$2" "$first"
    echo "pitr: log before $first is gone from $2"
}

[ $# -ge 1 ] || die "archive | base | restore | prune; see the head of $0"
what=$1
shift
case $what in
    archive) [ $# -eq 3 ] || die "archive FILE NAME FOLDER" ;;
    base) [ $# -eq 1 ] || die "base FOLDER" ;;
    restore) [ $# -eq 4 ] || die "restore BASE WAL TIME NEW_DATA_FOLDER" ;;
    prune) [ $# -eq 2 ] || die "prune BASE WAL" ;;
    *) die "archive | base | restore | prune, not $what" ;;
esac
"$what" "$@"

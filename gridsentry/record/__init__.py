"""Recordings: reading and writing them, and making them from files, brokers and each other."""

from __future__ import annotations

from gridsentry.record.command import add_parser, run
from gridsentry.record.format import Writer, read

__all__ = ["Writer", "add_parser", "read", "run"]

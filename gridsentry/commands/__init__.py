"""One file a command: `add_parser(subparsers)` and `run(args) -> exit code`."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from types import ModuleType

NAMES = (
    *("demo", "serve", "camera", "calibrate", "replay", "whatif", "simulate"),
    *("check", "init", "import_drains", "import_lines", "import_recording", "learn", "adapt"),
    *("evidence", "plot", "figures", "labels", "places", "accounts", "notify", "backtest"),
    *("backup", "restore", "storage"),
)


def modules() -> list[ModuleType]:
    """The commands' modules in the order `--help` shows them."""
    return [import_module(f"gridsentry.commands.{name}") for name in NAMES]


def version() -> str:
    """The installed version."""
    try:
        return installed("gridsentry")
    except PackageNotFoundError:
        return "unknown"

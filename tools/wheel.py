"""Hatchling's hook: a wheel is never built without the pages' libraries."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Assets(BuildHookInterface):  # type: ignore[type-arg]
    """Brings center/vendor/ before a wheel is made; an editable install reads the checkout, where
    tools/setup.py does it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Raises Missing when a library is not there and its registry cannot be reached."""
        if version == "editable":
            return
        sys.path.insert(0, str(Path(self.root, "tools")))
        try:
            import assets

            assets.bring_all(tests=False)
        finally:
            sys.path.pop(0)

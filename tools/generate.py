"""Writes what is made from code: `python -m tools.generate`. `--check` only compares (CI)."""

from __future__ import annotations

import sys
from pathlib import Path

from gridsentry.reference import pages

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Write or compare; 1 when something differs."""
    check = "--check" in sys.argv[1:]
    stale = []
    for name, text in pages.pages().items():
        path = ROOT / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"{name} {'differs: run make docs' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())

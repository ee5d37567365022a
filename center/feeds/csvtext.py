"""Lines of CSV as spreadsheets open them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

MARK = "\ufeff".encode()
"""Makes Excel read UTF-8 instead of the system's code page."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def line(values: Iterable[object]) -> bytes:
    """One line (RFC 4180), UTF-8; None is an empty cell."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([_cell(value) for value in values])
    return out.getvalue().encode()


def _cell(value: object) -> object:
    """A text that a spreadsheet would run as a formula is shown instead (CWE-1236)."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value

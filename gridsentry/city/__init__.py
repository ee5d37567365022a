"""The city folder: read strictly, cross-checked, with errors that name file, line and column."""

from __future__ import annotations

from gridsentry.city.load import Loaded, load_city, read_city
from gridsentry.city.notes import CityProblems

__all__ = ["CityProblems", "Loaded", "load_city", "read_city"]

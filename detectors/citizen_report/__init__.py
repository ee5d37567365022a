"""Reports by residents: what people see is evidence too."""

from detectors.citizen_report.spec import SPEC

__all__ = ["SPEC"]

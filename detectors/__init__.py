"""What is wrong? One package per kind, pure folds over time that arrives in the data.

Adding a detector is adding a package here that exports `SPEC` (and a `sample.py` for the laws).
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import msgspec

from contracts.detector import Spec
from contracts.errors import Wrong

__all__ = ["settings_type", "specs"]


def specs() -> dict[str, Spec[Any]]:
    """Every detector kind by its name, in alphabetical order.

    A package that fails to import, exports no SPEC, or repeats a kind is fatal (`Wrong`, or the
    import's own error): a detector that is silently missing is worse than a service that does not
    start.
    """
    found: dict[str, Spec[Any]] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        if module.name.startswith("_"):
            continue
        name = f"{__name__}.{module.name}"
        spec = getattr(importlib.import_module(name), "SPEC", None)
        if not isinstance(spec, Spec):
            raise Wrong(name, "it exports no SPEC", "one contracts.detector.Spec named SPEC")
        if spec.kind in found:
            raise Wrong(name, f"kind {spec.kind} is already somebody else's", "a kind of its own")
        found[spec.kind] = spec
    return dict(sorted(found.items()))


def settings_type() -> type[msgspec.Struct]:
    """A struct with one field per kind, of that kind's own configuration, shipped defaults set.

    Unknown fields are refused with their path: ``unknown field `levl_m` - at `$.flooding` ``.
    """
    fields = [(kind, spec.config, spec.config()) for kind, spec in specs().items()]
    return msgspec.defstruct(
        "DetectorSettings",
        fields,
        forbid_unknown_fields=True,
        frozen=True,
        kw_only=True,
        module=__name__,
    )

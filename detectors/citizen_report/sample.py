"""One resident's report."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from contracts.geo import Point
from contracts.nouns import Report
from detectors._common.sample import START, Sample, city, device
from detectors.citizen_report.spec import CitizenReportConfig, sites


def sample(seed: int) -> Sample:
    """A report of a flooded road; nobody says anything on the quiet day."""
    rng = np.random.default_rng(seed)
    town = city(devices={"app": device("app", type="app")})
    at = START + timedelta(seconds=float(rng.uniform(0, 600)))
    item = Report(
        device="app",
        at=at,
        received_at=at + timedelta(seconds=2),
        id=f"r{seed}",
        text="路口积水,车过不去",
        point=Point(118.78 + float(rng.normal(0, 0.001)), 31.26),
        kind="flooding",
        reporter="李",
    )
    (site,) = sites(town, CitizenReportConfig())
    return Sample(city=town, site=site, items=(item,), quiet_items=())

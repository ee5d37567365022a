"""A fault recorder's record of a loss: three voltages as samples, a COMTRADE pair in a zip."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

RATE, HZ = 1_000, 50
BEFORE_S, AFTER_S = 0.3, 0.7
FACTOR_V = 0.02
"""Volts of one count."""
_ZONE = ZoneInfo("Asia/Shanghai")


def shoot(
    station: str,
    at: datetime,
    before: Sequence[float],
    after: Sequence[float],
    rng: np.random.Generator,
) -> bytes:
    """The record of voltages that change at `at` (IEEE C37.111-1999, BINARY, one second).

    `before` and `after`: volts of the three phases, phase to neutral, root mean square. Times in it
    are the town's own, without zone, as recorders write them; names are in GBK.
    """
    count = round((BEFORE_S + AFTER_S) * RATE)
    t = np.arange(count) / RATE
    volts = np.where((t < BEFORE_S)[:, None], np.array(before), np.array(after))
    turns = 2 * np.pi * (HZ * t[:, None] - np.arange(3) / 3) + float(rng.uniform(0, 2 * np.pi))
    waves = math.sqrt(2) * volts * np.sin(turns) + rng.normal(0, 0.3, (count, 3))
    rows = np.zeros(count, dtype=[("n", "<u4"), ("us", "<u4"), ("v", "<i2", 3)])
    rows["n"], rows["us"] = np.arange(1, count + 1), np.round(t * 1e6)
    rows["v"] = np.clip(np.round(waves / FACTOR_V), -32767, 32767)
    local = at.astimezone(_ZONE)
    begin = local - timedelta(seconds=BEFORE_S)
    lines = [
        f"{station},故障录波,1999",
        "3,3A,0D",
        *(
            f"{k},U{x},{x.upper()},,V,{FACTOR_V},0,0,-32767,32767,1,1,P"
            for k, x in enumerate("abc", 1)
        ),
        f"{HZ}",
        "1",
        f"{RATE},{count}",
        f"{begin:%d/%m/%Y,%H:%M:%S.%f}",
        f"{local:%d/%m/%Y,%H:%M:%S.%f}",
        "BINARY",
        "1",
    ]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (
            ("record.cfg", ("\r\n".join(lines) + "\r\n").encode("gbk")),
            ("record.dat", rows.tobytes()),
        ):
            # a fixed date: the same town gives the same bytes
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    return packed.getvalue()

"""Disturbance records made for tests: any revision, any form, any text encoding."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Sequence

import numpy as np

RATE, HZ = 1_000, 50
Volts = Callable[[float], tuple[float, float, float]]
"""Seconds → peak shares of the three phases."""


def record(
    shares: Volts,
    *,
    form: str = "BINARY",
    revision: int | None = 1999,
    names: Sequence[str] = ("Ua", "Ub", "Uc"),
    phases: Sequence[str] = ("A", "B", "C"),
    encoding: str = "utf-8",
    seconds: float = 2.0,
    trigger: str = "07:30:00.500000",
    rates: bool = True,
    tail: Sequence[str] = (),
    factor: float = 0.02,
) -> tuple[bytes, bytes]:
    """(.cfg, .dat) of three voltages of 230 V and two switches, sampled 1,000 times a second."""
    count = int(seconds * RATE)
    year = [] if revision is None else [str(revision)]
    cfg = [",".join(["变电站" if encoding != "ascii" else "S", "R1", *year]), "5,3A,2D"]
    for i, (name, phase) in enumerate(zip(names, phases, strict=True), start=1):
        last = ",10000,400,P" if revision else ""
        cfg.append(f"{i},{name},{phase},,V,{factor},0,0,-32767,32767{last}")
    cfg += ["1,TRIP,,,0", "2,开关,,,0" if encoding != "ascii" else "2,SW,,,0", str(HZ)]
    cfg += ["1", f"{RATE},{count}"] if rates else ["0", f"0,{count}"]
    date = "07/22/26" if revision is None else "22/07/2026"
    cfg += [f"{date},07:30:00.000000", f"{date},{trigger}", form]
    cfg += ["1"] if revision else []
    cfg += tail
    rows: list[bytes] = []
    for k in range(count):
        t = k / RATE
        turns = [2 * np.pi * (HZ * t - i / 3) for i in range(3)]
        values = [230 * 2**0.5 * s * np.sin(x) for s, x in zip(shares(t), turns, strict=True)]
        counts = [round(v / factor) for v in values]
        stamp = k * 1_000_000 // RATE
        if form == "ASCII":
            rows.append(",".join(map(str, (k + 1, stamp, *counts, 0, 1))).encode() + b"\r\n")
            continue
        kind = {"BINARY": "h", "BINARY32": "i", "FLOAT32": "f"}[form]
        rows.append(struct.pack(f"<II3{kind}H", k + 1, stamp, *counts, 2))
    return "\r\n".join(cfg).encode(encoding) + b"\r\n", b"".join(rows)


def zipped(cfg: bytes, dat: bytes, stem: str = "A") -> bytes:
    """Both in a zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{stem}.CFG", cfg)
        archive.writestr(f"{stem}.DAT", dat)
    return packed.getvalue()


def single(cfg: bytes, dat: bytes, kind: str = "BINARY") -> bytes:
    """Both in one .cff."""
    told = f"--- file type: DAT {kind}: {len(dat)} ---\r\n".encode()
    return b"--- file type: CFG ---\r\n" + cfg + b"--- file type: INF ---\r\n" + told + dat


def cut(at: float, phases: str = "abc", back: float | None = None, left: float = 0.02) -> Volts:
    """Those phases fall to the share `left` at `at` and are back at `back`."""

    def shares(t: float) -> tuple[float, float, float]:
        dark = at <= t and (back is None or t < back)
        a, b, c = (left if dark and one in phases else 1.0 for one in "abc")
        return a, b, c

    return shares

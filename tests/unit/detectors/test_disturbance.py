"""Disturbance records (COMTRADE): read whatever their form, refused with a reason, and what they
say of a line."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from contracts.comtrade import read_record
from contracts.comtrade.cfg import read_config
from contracts.comtrade.names import phase_of
from contracts.errors import Permanent
from contracts.nouns import Record
from detectors._common.disturbance import Lost, judged, lost_in, rms
from tests.unit.detectors.records import cut, record, single, zipped

AT = datetime(2026, 7, 21, 23, 30, 0, 500_000, tzinfo=UTC)  # 07:30:00.5 of the 22nd in China


def said(data: bytes, at: datetime = AT) -> Lost | None:
    return lost_in(Record("d", at, at, data))


@pytest.mark.parametrize("revision", [None, 1999, 2013])
@pytest.mark.parametrize("form", ["ASCII", "BINARY", "BINARY32", "FLOAT32"])
def test_every_revision_and_form_gives_the_same_volts(form: str, revision: int | None) -> None:
    cfg, dat = record(cut(0.5, "b"), form=form, revision=revision)
    for data in (zipped(cfg, dat), single(cfg, dat, form)):
        found = read_record(data)
        assert found.station == "变电站" and found.channels == 5
        assert [(w.phase, w.kind) for w in found.waves] == [(p, "voltage") for p in "abc"]
        assert np.abs(found.waves[0].values).max() == pytest.approx(325.3, abs=0.5)
        assert found.trigger_s == pytest.approx(0.5)
        lost = said(data)
        assert lost is not None and lost.phases == "b" and lost.of == "abc"


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "utf-8-sig"])
def test_names_are_read_in_utf_8_and_gbk(encoding: str) -> None:
    names = ("10kV母线_Ua", "10kV母线_Ub", "10kV母线_Uc")
    found = read_record(zipped(*record(cut(0.5), names=names, encoding=encoding)))
    assert [w.name for w in found.waves] == list(names) and found.station == "变电站"
    assert {w.group for w in found.waves} == {"10kV母线_U*"}


@pytest.mark.parametrize(
    ("field", "name", "phase"),
    [
        ("A", "Ua", "a"), ("", "220kV母线_Ub", "b"), ("N", "3U0", "n"), ("", "IL1", "a"),
        ("0", "U21", "ab"), ("1", "U32", "bc"), ("C相", "母线电压", "c"), ("", "VA-N", "a"),
        ("AB", "line", "ab"), ("L1-L2", "x", "ab"), ("B", "Ub_1СШ", "b"), ("AC", "+-battery", ""),
        ("", "Ic2", "c"), ("R", "volts", "a"), ("", "frequency", ""), ("", "Trip", ""),
    ],
)  # fmt: skip
def test_phases_are_told_by_field_or_by_name(field: str, name: str, phase: str) -> None:
    assert phase_of(field, name)[0] == phase


def test_when_and_how_long_is_said_to_a_cycle() -> None:
    gone = said(zipped(*record(cut(0.5, "ac", back=1.2))))
    assert gone is not None and gone.phases == "ac"
    assert abs(gone.at - AT) <= timedelta(milliseconds=20)
    assert gone.lasted_s == pytest.approx(0.7, abs=0.02)
    assert gone.least == pytest.approx(0.02, abs=0.01) and gone.usual_v == pytest.approx(230, 0.01)
    for_good = said(zipped(*record(cut(0.5))))
    assert for_good is not None and for_good.phases == "abc" and for_good.lasted_s is None
    assert for_good.record_s == pytest.approx(1.5, abs=0.03)


def test_what_dips_less_or_was_dead_before_loses_nothing() -> None:
    assert said(zipped(*record(cut(0.5, left=0.8)))) is None
    assert said(zipped(*record(lambda t: (0.0, 0.0, 0.0)))) is None
    assert said(b"nothing anybody can read") is None


def test_a_voltage_between_phases_names_the_phase_they_share() -> None:
    """b is open: its end floats, so that ab and bc fall by half and ca stays."""
    names, phases = ("U12", "U23", "U31"), ("", "", "")
    data = zipped(*record(cut(0.5, "ab", left=0.5), names=names, phases=phases))
    lost = said(data)
    assert lost is not None and (lost.phases, lost.of) == ("b", "abc")
    all_gone = said(zipped(*record(cut(0.5), names=names, phases=phases)))
    assert all_gone is not None and all_gone.phases == "abc"


@pytest.mark.parametrize("hours", [8, 0, -5, 5.75])
def test_local_time_is_set_right_by_the_message_s_own(hours: float) -> None:
    there = datetime(2026, 7, 22, 7, 30, 0, 500_000, tzinfo=UTC) - timedelta(hours=hours)
    lost = said(zipped(*record(cut(0.5))), there + timedelta(minutes=3))
    assert lost is not None and abs(lost.at - there) < timedelta(milliseconds=20)


def test_a_recorder_without_a_clock_is_not_believed() -> None:
    lost = said(zipped(*record(cut(0.5))), AT + timedelta(days=900))
    assert lost is not None
    assert abs(lost.at - (AT + timedelta(days=900))) < timedelta(milliseconds=20)


def test_the_zone_a_record_of_2013_names_counts() -> None:
    data = zipped(*record(cut(0.5), revision=2013, tail=("+8h00,+8h00", "A,3")))
    lost = said(data, AT + timedelta(hours=2))
    assert lost is not None and abs(lost.at - AT) < timedelta(milliseconds=20)


def test_time_stamps_serve_where_there_is_no_rate() -> None:
    for form in ("ASCII", "BINARY"):
        found = read_record(zipped(*record(cut(0.5), form=form, rates=False)))
        assert found.times[-1] == pytest.approx(1.999)


def test_missing_values_are_no_values() -> None:
    cfg, dat = record(cut(5.0), form="ASCII")
    lines = dat.split(b"\r\n")
    for k in range(700, 760):  # three cycles of phase a
        cells = lines[k].split(b",")
        lines[k] = b",".join([*cells[:2], b"" if k % 2 else b"99999", *cells[3:]])
    found = read_record(zipped(cfg, b"\r\n".join(lines)))
    a = found.waves[0]
    assert np.isnan(a.values[700:760]).all() and np.isnan(rms(found, a)[740])
    assert judged(found, 0.6)[0].dips == ()


CFG, DAT = record(cut(0.5))


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", "empty", "COMTRADE"),
        (b"hello", "bad_record", "0x68656c6c6f"),
        (b"PK\x03\x04 broken", "bad_record", "zip"),
        (single(CFG, b"")[:60], "bad_record", "DAT"),
        (zipped(CFG, DAT[:900]), "bad_record", "56 of 2,000 samples"),
        (zipped(CFG.replace(b"5,3A,2D", b"5,4A,2D"), DAT), "bad_record", "line 6"),
        (zipped(CFG.replace(b"5,3A,2D", b"40,3A,37D"), DAT), "bad_record", "the .cfg, line"),
        (zipped(CFG.replace(b"5,3A,2D", b"many"), DAT), "bad_record", "16,6A,10D"),
        (zipped(CFG.replace(b"5,3A,2D", b"9999,9990A,9D"), DAT), "bad_record", "at most 1024"),
        (zipped(CFG.replace(b"1000,2000", b"1000,999999999"), DAT), "too_large", "samples"),
        (zipped(CFG.replace(b"1000,2000", b"-3,2000"), DAT), "bad_record", "-3 samples a second"),
        (zipped(CFG.replace(b"0.02", b"nan"), DAT), "bad_record", "'nan', not a number"),
        (zipped(CFG.replace(b"BINARY", b"FLUX"), DAT), "bad_record", "FLOAT32"),
        (zipped(CFG.replace(b"BINARY", b"ASCII"), DAT), "bad_record", "the .dat"),
        (zipped(CFG, bytes(len(DAT))), "bad_record", "16 bytes a sample"),
        (zipped(b"\n".join(CFG.split(b"\n")[:4]), DAT), "bad_record", "ends before"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(data: bytes, code: str, words: str) -> None:
    with pytest.raises(Permanent) as refused:
        read_record(data)
    assert refused.value.code == code and words in refused.value.reason


def test_no_bytes_do_harm() -> None:
    """Cut anywhere, or with bytes changed: read, or refused; never another error, never long."""
    rng = np.random.default_rng(1)
    cfg, dat = record(cut(0.1), seconds=0.2)
    ascii_cfg, ascii_dat = record(cut(0.1), seconds=0.2, form="ASCII")
    whole = (single(cfg, dat), zipped(cfg, dat), single(ascii_cfg, ascii_dat, "ASCII"))
    begin = time.process_time()
    for data in whole:
        for _ in range(120):
            broken = bytearray(data[: int(rng.integers(1, len(data) + 1))])
            for place in rng.integers(0, min(len(broken), 600), 3):
                broken[place] = int(rng.integers(256))
            try:
                read_record(bytes(broken))
            except Permanent as refused:
                assert refused.reason
            said(bytes(broken))
    assert time.process_time() - begin < 10


def real(recordings: Path, stem: str) -> bytes:
    folder = recordings / "lines" / "comtrade"
    return zipped((folder / f"{stem}.cfg").read_bytes(), (folder / f"{stem}.dat").read_bytes())


@pytest.mark.recordings
def test_a_sepam_s_voltage_decays_after_its_trip(recordings: Path) -> None:
    data = real(recordings, "wisp_4")
    lost = said(data, datetime(2014, 12, 4, 7, 1, 48, tzinfo=UTC))
    assert lost is not None and lost.phases == "abc" and lost.lasted_s is None
    assert lost.least == pytest.approx(737 / 3430, abs=0.03)
    assert (lost.at - datetime(2014, 12, 4, 7, 1, 49, 533_000, tzinfo=UTC)).total_seconds() > 0.3


@pytest.mark.recordings
def test_two_earth_faults_and_a_swing_end_within_the_record(recordings: Path) -> None:
    data = real(recordings, "wisp_2")
    lost = said(data, datetime(2016, 8, 22, 13, 4, 22, tzinfo=UTC))
    assert lost is not None and lost.lasted_s is not None and lost.lasted_s < 2
    found = read_record(data)
    earth = next(w for w in found.waves if w.name.startswith("3Io") and "62" in w.name)
    assert np.abs(earth.values).max() == pytest.approx(642, abs=1)


@pytest.mark.recordings
def test_a_chinese_substation_s_channels_have_their_names(recordings: Path) -> None:
    told = read_config((recordings / "lines/comtrade/zh_ascii_1999_gbk.cfg").read_bytes())
    assert len(told.analog) == 96 and told.digitals == 192 and told.samples == 45_600
    first = told.analog[0]
    assert (first.name, first.phase, first.kind) == ("220kV母线_Ua", "a", "voltage")
    assert first.factor == pytest.approx(0.007854353 * 127_017 / 57.735)
    found = read_record(real(recordings, "zh_ascii_1991"))
    assert any(w.name == "Ua对侧" for w in found.waves) and found.triggered is not None
    assert found.triggered.year == 2015

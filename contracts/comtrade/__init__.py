"""Disturbance records (COMTRADE, IEEE C37.111 / IEC 60255-24): bytes in, waveforms out.

Pure, and bounded whatever the bytes say. Revisions 1991, 1999 and 2013; ASCII, BINARY, BINARY32 and
FLOAT32; `.cff`, or a zip of `.cfg` and `.dat`; text in UTF-8, GBK or one byte a letter.
"""

from contracts.comtrade.cfg import Analog, Config
from contracts.comtrade.dat import Disturbance, Wave, read_record

__all__ = ["Analog", "Config", "Disturbance", "Wave", "read_record"]

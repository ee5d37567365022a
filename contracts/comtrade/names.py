"""What channels are called: encodings, units, phases."""

from __future__ import annotations

import re
from typing import Final, Literal

_SCALES: Final = {
    "v": 1.0, "kv": 1e3, "mv": 1e-3, "a": 1.0, "ka": 1e3, "ma": 1e-3,
    "伏": 1.0, "千伏": 1e3, "安": 1.0, "千安": 1e3, "в": 1.0, "кв": 1e3, "а": 1.0, "ка": 1e3,
}  # fmt: skip
_PHASES: Final = {
    "A": "a", "B": "b", "C": "c", "N": "n", "L1": "a", "L2": "b", "L3": "c", "1": "a", "2": "b",
    "3": "c", "R": "a", "S": "b", "T": "c", "0": "n", "O": "n", "E": "n", "G": "n",
}  # fmt: skip
_PAIRS: Final = {"ab": "ab", "ba": "ab", "bc": "bc", "cb": "bc", "ca": "ca", "ac": "ca"}
_SYMBOL: Final = re.compile(
    r"(?<![A-Za-z])(?P<many>3?)(?P<what>[UVIuvi])[ _.]?"
    r"(?:(?P<pair>L?[123][-/]?L?[123](?!\d)|[ABCabc][-/]?[ABCabc])"
    r"|(?P<one>L[123]|[123](?!\d)|[ABCNRSTOabcnrsto0])(?:[-_ /]?[NEGneg])?)(?![A-Za-z])"
)
"""`Ua`, `220kV_Ub`, `3U0`, `IL1`, `U21`, `Vab`, `VA-N`, `Ia2`."""
_VOLTAGES: Final = ("v", "kv", "mv", "伏", "千伏", "в", "кв")


class text:
    """Bytes of one file to text: UTF-8, else GBK where that gives Chinese, else Latin-1.

    Any two bytes above 0x80 are some character of GBK; those of Chinese text are nearly all of
    GB 2312's first level (its 3,755 most used, lead bytes 0xb0-0xd7) or signs.
    """

    def __init__(self, sample: bytes) -> None:
        self.encoding = self._of(sample)

    def __call__(self, cell: bytes) -> str:
        """At most 64 characters of it."""
        return cell.decode(self.encoding, errors="replace").replace("\x00", "").strip()[:64]

    @staticmethod
    def _of(sample: bytes) -> str:
        try:
            sample.decode()
            return "utf-8"
        except UnicodeDecodeError:
            pass
        pairs = re.findall(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]", sample)
        usual = sum(0xA1 <= pair[0] <= 0xD7 and pair[1] >= 0xA1 for pair in pairs)
        try:
            sample.decode("gb18030")
        except UnicodeDecodeError:
            return "latin-1"
        return "gb18030" if usual > 0.7 * len(pairs) else "latin-1"


def kind_of(unit: str, name: str) -> Literal["voltage", "current", "other"]:
    """By its unit; where there is none by its name."""
    known = unit.strip().lower()
    if known in _SCALES:
        return "voltage" if known in _VOLTAGES else "current"
    found = _SYMBOL.search(name) if not known else None
    if found is None:
        return "other"
    return "current" if found["what"] in "Ii" else "voltage"


def scale_of(unit: str) -> float:
    """Volts or amperes in a unit; 1 for others."""
    return _SCALES.get(unit.strip().lower(), 1.0)


def phase_of(phase: str, name: str) -> tuple[str, str]:
    """(the phase, the name with its phase's letters left out, the same for its sisters).

    The phase's own field counts first, unless it is a number: some recorders count there.
    """
    found = _SYMBOL.search(name)
    spoken = _spoken(found) if found is not None else ""
    said = _label(phase) or spoken
    if found is not None and spoken == said:
        begin = found.start("pair" if found["pair"] else "one")
        return said, f"{name[:begin]}*{name[found.end() :]}"
    # `母线电压A相` and `母线电压B相` are one group
    return said, re.sub(r"(?<![A-Za-z])[ABCNabcn]{1,2}(?![A-Za-z])", "*", name)


def _label(phase: str) -> str:
    """Of the phase's own field."""
    label = phase.strip().upper().removesuffix("相").removeprefix("PHASE").strip(" -")
    if label.isdigit() or label == "AC":  # alternating current, at a battery
        return ""
    if label in _PHASES:
        return _PHASES[label]
    halves = re.fullmatch(r"(L[123]|[ABCRST])[-/]?(L[123]|[ABCRSTNEG])", label)
    if halves is None:
        return ""
    one, two = _PHASES[halves[1]], _PHASES[halves[2]]
    return one if two == "n" else _PAIRS.get(one + two, "")


def _spoken(found: re.Match[str]) -> str:
    """Of the symbol in a name."""
    if found["many"]:
        return "n"
    if found["pair"]:
        halves = [half for half in found["pair"].upper() if half not in "L-/"]
        return _PAIRS.get("".join(_PHASES[half] for half in halves), "")
    return _PHASES[found["one"].upper()]

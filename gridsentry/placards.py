"""Printable signs with a place's code: an A6 card as SVG, four of them on a sheet of A4.

Measures are millimetres. The QR code is some 50 mm wide, its quiet zone 62 mm: read from half a
metre and nearer (ten times its width is what telephones manage), with error correction level Q, so
that a quarter of it may be scratched.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape

import segno

from center.pages.resident.codes import shown
from contracts.spots import Spot

WIDTH, HEIGHT = 105, 148
QR_MM = 62
"""With its quiet zone."""
QUIET = 4
"""Modules of quiet zone (ISO/IEC 18004)."""
_FONT = "'Noto Sans CJK SC','Noto Sans SC','PingFang SC','Microsoft YaHei',sans-serif"
_TEAL, _INK, _SOFT, _RED = "#0f766e", "#12212b", "#52636e", "#be123c"
_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>
<style>
@page {{ size: {size}; margin: 0 }}
* {{ margin: 0; padding: 0 }}
body {{ background: #fff }}
main {{ display: grid; grid-template-columns: repeat({across}, 105mm); grid-auto-rows: 148mm }}
svg {{ width: 105mm; height: 148mm; display: block; break-inside: avoid }}
@media screen {{ body {{ background: #dfe5e7; padding: 10mm }} svg {{ background: #fff }} }}
</style></head><body><main>
{cards}
</main></body></html>
"""


def card(spot: Spot, code: str, url: str, town: str) -> str:
    """One sign as SVG of 105 by 148 mm."""
    lines = [
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<rect width="{WIDTH}" height="31" fill="{_TEAL}"/>',
        _text("扫码上报", 16.5, 11, "#fff", bold=True, spacing=1.2),
        _text("Scan to report", 25.3, 5.4, "#fff"),
        _text(spot.zh, 41, 7, _INK, bold=True),
        _text(spot.en if spot.en != spot.zh else town, 47.3, 4, _SOFT),
        _qr(url, (WIDTH - QR_MM) / 2, 50),
        _text(shown(code).replace("-", " "), 117.5, 5.2, _INK, bold=True, spacing=0.5, mono=True),
        _text("积水、井盖、线缆、路灯、高空抛物，拍照就能报", 125.2, 4.1, _INK, bold=True),
        _text("无需注册，可查看处理进度", 131, 3.7, _SOFT),
        _text("No account. See what is known here and follow your report.", 135.8, 3, _SOFT),
        _text("有人身危险请拨打 Emergency 110 · 119 · 120", 142.8, 3.7, _RED, bold=True),
    ]
    frame = (
        f'<rect x=".1" y=".1" width="{WIDTH - 0.2}" height="{HEIGHT - 0.2}" fill="none"'
        ' stroke="#9db0ba" stroke-width=".2" stroke-dasharray="1.5 1.5"/>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}mm" height="{HEIGHT}mm"'
        f' viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(spot.zh)} {escape(code)}">'
        f"{''.join(lines)}{frame}</svg>"
    )


def sheet(cards: Sequence[str], size: str) -> str:
    """All signs as one page to print: `a4` (four on a sheet, to be cut) or `a6` (one each)."""
    across = 2 if size == "a4" else 1
    page = "A4" if size == "a4" else "A6"
    return _PAGE.format(title="扫码上报牌", size=page, across=across, cards="\n".join(cards))


def _text(
    words: str, y: float, size: float, colour: str, *, bold: bool = False, spacing: float = 0.0,
    mono: bool = False,
) -> str:  # fmt: skip
    size = min(size, 98 / max(1.0, _ems(words) + spacing * len(words) / size))
    more = f' letter-spacing="{spacing}"' if spacing else ""
    family = "'DejaVu Sans Mono',Consolas,monospace" if mono else _FONT
    return (
        f'<text x="{WIDTH / 2}" y="{y}" font-family="{family}" font-size="{size:.2f}"'
        f' font-weight="{700 if bold else 400}" fill="{colour}" text-anchor="middle"{more}>'
        f"{escape(words)}</text>"
    )


def _ems(words: str) -> float:
    """About how wide the words are, in sizes of their letters."""
    return sum(1.0 if ord(letter) > 0x2E80 else 0.58 for letter in words)


def _qr(url: str, x: float, y: float) -> str:
    code = segno.make(url, error="q", micro=False)
    drawn = io.BytesIO()
    code.save(
        drawn, kind="svg", border=QUIET, xmldecl=False, svgns=False, omitsize=True, dark=_INK,
        light="#fff",
    )  # fmt: skip
    inner = drawn.getvalue().decode()
    return inner.replace(
        "<svg ", f'<svg x="{x}" y="{y}" width="{QR_MM}" height="{QR_MM}" ', 1
    ).strip()

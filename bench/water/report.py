"""The tables beside the one table: by network and by part."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bench._common.figure import shown
from bench.water import sewers
from bench.water.plan import NETWORKS, PARTS
from bench.water.scene import Result


def show_networks(results: Sequence[Result], console: Console) -> None:
    """What hangs on the network, and on what was ordered."""
    table = Table(title="simulated runs, by network, part and spacing of reports")
    heads = ("of", "runs", "sensor-days", "overflows", "warned", "lead", "false/day", "blocked",
             "found", "delay", "near", "false/day", "fault F1")  # fmt: skip
    for head in heads:
        table.add_column(head, justify="left" if head == "of" else "right", no_wrap=True)
    good = [r for r in results if r.error is None]
    groups = {name: [r for r in good if r.job.order.network == name] for name in NETWORKS}
    groups |= {part: [r for r in good if r.job.part == part] for part in PARTS}
    groups |= {
        f"every {spacing:.0f} s": [r for r in good if r.job.order.reports_s == spacing]
        for spacing in (60.0, 300.0, 900.0)
    }
    groups["without a rain gauge"] = [r for r in good if r.job.order.gauges == 0]
    for name, runs in groups.items():
        if not runs:
            continue
        days = sum(r.sensor_days for r in runs)
        false = sum(len(r.floods.false) for r in runs) / days if days else None
        wrong = sum(len(r.blockages.false) for r in runs) / days if days else None
        row = (
            str(len(runs)), f"{days:,.0f}", str(sum(len(r.floods.overflowed) for r in runs)),
            shown(sewers.warned(runs)), shown(sewers.flood_lead(runs)), shown(false),
            str(sum(len(r.blockages.blocked) for r in runs)), shown(sewers.found(runs)),
            shown(sewers.delay(runs)), shown(sewers.right_pipe(runs)), shown(wrong),
            shown(sewers.macro(runs)),
        )  # fmt: skip
        table.add_row(f"{name} (held out)" if runs[0].job.held and name in NETWORKS else name, *row)
    console.print(table)

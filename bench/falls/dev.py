"""A quick look while developing: some films of one part, and why each miss was missed.

    python -m bench.falls --dev SEED --only recall --n 40 [--group "4-8 px"] [--json OUT]

Seeds 0 to 9999 are used as they are, so the scorecard's films are never seen here. Films are kept
in build/score/films: a second run with another detector does not film again.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from bench._common.seeds import development_seed
from bench.falls import cache, scene
from bench.falls.fade import f_measure
from bench.falls.films import Films
from bench.falls.plan import CLASSES, PARTS, Amounts, Job, plan
from bench.falls.run import calm
from bench.falls.scene import Result
from bench.falls.why import why_missed
from simulators.falls.film import film
from simulators.falls.take import Take


def jobs_of(
    seed: int, only: str, count: int, group: str | None, places: Sequence[str], episodes: Any
) -> list[Job]:
    """About `count` falls or episodes (or pieces) of one part, spread over its groups."""
    sizes = len(CLASSES)
    kinds = len(episodes.kinds)
    one = only == "recall" and group is not None
    amounts = Amounts(
        falls=dict.fromkeys(CLASSES, count if one else -(-count // sizes)),
        episodes=count if group is not None else -(-count // kinds),
        continuous_s=60.0 * count,
        mixed=count,
    )
    all_ = plan(amounts, lambda _, number: development_seed(seed, number), places, episodes)
    return [job for job in all_ if job.part == only and group in (None, job.group)]


def look(
    jobs: Sequence[Job], plates: Path | None, films: Path, console: Console, out: Path | None
) -> list[Result]:
    """Judge the jobs in this process, saying each miss and false alarm as it comes."""
    calm()
    kept = Films(films, cache.code_hash(cache.STUDIO), plates)
    results = []
    for job in jobs:
        take, film_s = kept.get(job.order), 0.0
        begin = time.process_time()
        if take is None:
            try:
                take = film(job.order, plates)
            except Exception as error:
                console.print(f"FAILED {job.name}: studio: {error!r}", markup=False)
                results.append(Result(job=job, error=repr(error)))
                continue
            film_s = time.process_time() - begin
            kept.put(take)
        result = scene.score_take(job, take, film_s=film_s, pictures=out is not None)
        results.append(result)
        tell(result, take, console)
        if out is not None:
            _pictures(result, out.parent)
    sum_up(results, console)
    if out is not None:
        told = [msgspec.to_builtins(_bare(result)) for result in results]
        out.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    return results


def tell(result: Result, take: Take, console: Console) -> None:
    """What went wrong in one film."""
    order = result.job.order
    about = f"{result.job.name} {order.size[1]}p{order.fps:g} {order.place}"

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    if result.error is not None:
        say(f"FAILED {about}: {result.error}")
        return
    for number, fell in enumerate(result.falls):
        what = (
            f"{fell.body} from {fell.zone}, {fell.size_px:.1f} px, contrast {fell.contrast:.0f}, "
            f"visible {fell.visible:.2f}, {fell.pictures} pictures, {fell.floors:.1f} floors"
        )
        if fell.said is None:
            say(f"MISSED {about}: {what}\n       {why_missed(take, number)}")
        else:
            said = result.events[fell.said]
            named = said.zone or "abstains"
            if said.zone != fell.zone:
                p = f" (p {said.p:.2f})" if said.p is not None else ""
                say(f"window {about}: {what}: says {named}{p}")
    for said in result.false:
        kind = "DOUBLE" if said.double else "FALSE "
        with_ = ", ".join(f"{d.kind} {d.strength:.2f}" for d in order.distractions) or "nothing"
        score = f"score {said.score}, confidence {said.confidence}"
        say(f"{kind} {about} with {with_}: {said.first_s:.1f} to {said.last_s:.1f} s, {score}")
        say(f"       {'; '.join(said.why)}")


def sum_up(results: Sequence[Result], console: Console) -> None:
    """Counts by group, and CPU."""
    lines: dict[str, Counter[str]] = defaultdict(Counter)
    for result in results:
        line = lines[f"{result.job.part} {result.job.group}"]
        line["films"] += 1
        line["failed"] += result.error is not None
        line["episodes"] += result.job.episodes
        line["falls"] += len(result.falls)
        line["found"] += sum(fell.said is not None for fell in result.falls)
        line["reference found"] += sum(fell.reference for fell in result.falls)
        line["false"] += sum(not said.double for said in result.false)
        line["double"] += sum(said.double for said in result.false)
        line["reference false"] += result.reference_false
        for fell in result.falls:
            if fell.said is None or not result.calibrated or fell.visible < 0.6:
                continue
            said = result.events[fell.said]
            line["windows"] += 1
            line["exact"] += said.zone == fell.zone
            near = said.floor is not None and abs(said.floor - fell.floor) <= 1
            line["within a floor"] += near
            line["abstains"] += said.zone is None
            if said.p is not None and said.p >= 0.8:
                line["sure"] += 1
                line["sure and right"] += said.zone == fell.zone
        for name, boxes in (("box", result.boxes), ("reference box", result.reference_boxes)):
            if boxes is not None:
                line[f"{name} right"] += boxes.right
                line[f"{name} false"] += boxes.false
                line[f"{name} missed"] += boxes.missed
                line[f"{name} beside"] += boxes.beside
    for name, line in lines.items():
        told = ", ".join(f"{key} {value}" for key, value in line.items() if value)
        console.print(f"{name}: {told}", markup=False, highlight=False, soft_wrap=True)
        f = f_measure(line["box right"], line["box false"], line["box missed"])
        overlaps = [
            r.boxes.overlap
            for r in results
            if f"{r.job.part} {r.job.group}" == name and r.boxes and r.boxes.overlap is not None
        ]
        if f is not None and overlaps:
            tro = sum(overlaps) / len(overlaps)
            console.print(f"    F at IoU .3 {f:.3f}, TRO {tro:.3f}", highlight=False)
    pictures = sum(r.pictures for r in results)
    if pictures:
        film_ms, decode_ms, detect_ms, reference_ms = (
            1000 * sum(values) / pictures
            for values in zip(
                *((r.film_s, r.decode_s, r.detect_s, r.reference_s) for r in results), strict=True
            )
        )
        console.print(
            f"CPU per picture, all sizes together: decode {decode_ms:.1f} ms, detect "
            f"{detect_ms:.1f} ms, reference {reference_ms:.1f} ms, film {film_ms:.1f} ms",
            highlight=False,
        )


def _bare(result: Result) -> Result:
    """Without the pictures."""
    replace = msgspec.structs.replace
    return replace(
        result,
        falls=tuple(replace(fell, picture=None) for fell in result.falls),
        events=tuple(replace(said, picture=None) for said in result.events),
    )


def _pictures(result: Result, folder: Path) -> None:
    name = result.job.name.replace("/", "-").replace(" ", "")
    drawn = [("missed", fell.picture) for fell in result.falls]
    drawn += [("false", said.picture) for said in result.events]
    for number, (what, jpeg) in enumerate(drawn):
        if jpeg:
            (folder / f"{name}-{what}{number}.jpg").write_bytes(jpeg)


def part_names() -> str:
    """For the help."""
    return ", ".join(PARTS)

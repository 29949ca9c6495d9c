"""What a bench prints: a line for each part, and one JSON object for machines."""

import math
import os
import platform
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """One figure. `met` is None where nothing was promised, or the reference is missing."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    figure: float
    unit: str
    reference: float | None = None
    ratio: float | None = None
    target: str | None = None
    met: bool | None = None


class Report(BaseModel):
    """`load`: of the last minute when the bench began, its own work not in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    bench: str
    parts: tuple[Part, ...]
    load: float
    python: str
    cores: int


def told(name: str, figure: float, unit: str) -> Part:
    """A figure nothing was promised about; it explains another."""
    return Part(name=name, figure=round(figure, 1), unit=unit)


def at_most(name: str, figure: float, unit: str, limit: float) -> Part:
    return Part(
        name=name,
        figure=round(figure, 1),
        unit=unit,
        target=f"<= {limit:g} {unit}",
        met=figure <= limit,
    )


def compared(
    name: str,
    figure: float,
    reference: float,
    unit: str,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
) -> Part:
    """`figure` beside the reference's; the promise is about their ratio, in one direction."""
    ratio = figure / reference if reference > 0 else None
    met, target = None, None
    if at_most is not None:
        met, target = ratio is not None and ratio <= at_most, f"<= {at_most:g} x"
    if at_least is not None:
        met, target = ratio is not None and ratio >= at_least, f">= {at_least:g} x"
    return Part(
        name=name,
        figure=round(figure, 1),
        unit=unit,
        reference=round(reference, 1),
        ratio=None if ratio is None else round(ratio, 2),
        target=target,
        met=None if ratio is None else met,
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """Nearest rank: always a value that was measured."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def load_now() -> float:
    return round(os.getloadavg()[0], 2)


def made(bench: str, parts: Sequence[Part], load: float) -> Report:
    return Report(
        bench=bench,
        parts=tuple(parts),
        load=load,
        python=platform.python_version(),
        cores=os.cpu_count() or 1,
    )


def lines(report: Report) -> list[str]:
    """For people."""
    about = f"{report.bench}: Python {report.python}, {report.cores} cores, load {report.load:g}"
    return [about, *(_line(part) for part in report.parts)]


def _line(part: Part) -> str:
    words = [f"  {part.name:<52} {part.figure:>9.1f} {part.unit}"]
    if part.reference is not None:
        words.append(f"reference {part.reference:.1f}")
    if part.ratio is not None:
        words.append(f"ratio {part.ratio:.2f}")
    if part.target is not None:
        words.append(f"target {part.target}")
    if part.met is not None:
        words.append("met" if part.met else "MISSED")
    return "  ".join(words)

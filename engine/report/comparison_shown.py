"""A comparison as the page shows it: verdict, ratio, and two small charts drawn as SVG, which need no script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.report.labels import Labels
from engine.report.names import configuration_name, model_name
from engine.result import Comparison, Run
from engine.units import format_count, format_duration_ms
from engine.verdict import CANNOT_TELL, SAME_WITHIN, VERDICTS, drawable
from engine.words import say

WIDTH, HEIGHT = 720, 150
LEFT, RIGHT, TOP, BOTTOM = 64, 8, 8, 18
STATES = {"FASTER": "good", "SLOWER": "bad", "SAME": "good", CANNOT_TELL: "caution"}
SHAPES = {"FASTER": "»", "SLOWER": "«", "SAME": "=", CANNOT_TELL: "?"}
MOST_MARKS = 400
"""Blocks that are drawn of each; of more, evenly chosen ones."""


@dataclass(frozen=True)
class Compared:
    """What the template shows."""

    word: str
    shape: str
    state: str
    sentences: list[str]
    sides: list[str]
    facts: list[tuple[str, str]]
    ratio_svg: str
    blocks_svg: str


def compared(run: Run, labels: Labels) -> Compared | None:
    """The comparison of a run; None where it is none, or one that this program cannot read."""
    found = run.comparison
    if found is None or len(run.outcomes) != 2 or found.verdict not in VERDICTS:
        return None
    return Compared(
        labels(f"compare.{found.verdict}"), SHAPES[found.verdict], STATES[found.verdict], sentences(found, labels), _sides(run, labels), _facts(found, labels),
        _ratio_svg(found), _blocks_svg(found),
    )


def sentences(found: Comparison, labels: Labels) -> list[str]:
    """The verdict in words, and what it lacks."""
    percent = 0.0 if found.ratio is None else abs(found.ratio - 1.0) * 100.0
    said = [say(f"verdict-{found.verdict}", {"percent": percent, "band": SAME_WITHIN * 100.0}, labels.language)]
    return [*said, say("verdict-needs", {"count": found.samples_needed}, labels.language)] if found.samples_needed else said


def _sides(run: Run, labels: Labels) -> list[str]:
    models = run.model, run.other_model or run.model
    names = [f"{model_name(model)} · {configuration_name(outcome.configuration, labels)}" for model, outcome in zip(models, run.outcomes, strict=True)]
    return [labels("compare.side", side=side, name=name) for side, name in zip("AB", names, strict=True)]


def _facts(found: Comparison, labels: Labels) -> list[tuple[str, str]]:
    unknown = labels("compare.unknown")
    interval = unknown if found.ci95 is None else f"{found.ci95[0]:.4f} – {found.ci95[1]:.4f}"
    facts = [
        (labels("compare.ratio"), unknown if found.ratio is None else f"{found.ratio:.4f}"), (labels("compare.interval"), interval),
        (labels("compare.blocks"), format_count(found.blocks)),
    ]
    return [*facts, (labels("compare.needed"), format_count(found.samples_needed))] if found.samples_needed else facts


@dataclass(frozen=True)
class _Frame:
    """Where values lie in a chart."""

    right: float
    low: float
    high: float

    def x(self, value: float) -> float:
        """From 0 on the left to `right`."""
        return LEFT + (WIDTH - LEFT - RIGHT) * value / max(self.right, 1e-12)

    def y(self, value: float) -> float:
        """From `low` at the bottom to `high`; what lies beyond stays on the edge."""
        share = (min(max(value, self.low), self.high) - self.low) / max(self.high - self.low, 1e-12)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def line(self, value: float, said: str, kind: str = "grid") -> str:
        """A line across, with its label."""
        y = self.y(value)
        return f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/><text class="end" x="{LEFT - 6}" y="{y + 4:.1f}">{said}</text>'


def _svg(kind: str, parts: Sequence[str]) -> str:
    return f'<svg class="compare {kind}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-hidden="true">{"".join(parts)}</svg>'


def _ratio_svg(found: Comparison) -> str:
    """The interval, narrowing; empty where there never was one."""
    steps = drawable(found.steps)
    if not steps:
        return ""
    half = max(0.035, 1.15 * max(abs(end - 1.0) for end in steps[-1][1:]), sorted(1.1 * abs(step[3] - 1.0) for step in steps)[len(steps) // 2])
    frame = _Frame(max(step[0] for step in steps), 1.0 - half, 1.0 + half)
    top, bottom = frame.y(1.0 + SAME_WITHIN), frame.y(1.0 - SAME_WITHIN)
    upper, lower = [_point(frame, step[0], step[3]) for step in steps], [_point(frame, step[0], step[2]) for step in steps]
    return _svg(f"ratio {STATES[found.verdict]}", [
        f'<rect class="band" x="{LEFT}" width="{WIDTH - LEFT - RIGHT}" y="{top:.1f}" height="{bottom - top:.1f}"/>',
        *(frame.line(1.0 + sign * half * 0.85, f"{1.0 + sign * half * 0.85:.3f}") for sign in (-1, 1)), frame.line(1.0, "1.000", "one"),
        f'<polygon class="interval" points="{" ".join([*upper, *reversed(lower)])}"/>',
        f'<polyline class="centre" points="{" ".join(_point(frame, step[0], step[1]) for step in steps)}"/>',
        f'<text class="end" x="{WIDTH - RIGHT}" y="{HEIGHT - 4}">{format_count(int(steps[-1][0]))}</text>',
    ])


def _point(frame: _Frame, x: float, y: float) -> str:
    return f"{frame.x(x):.1f},{frame.y(y):.1f}"


def _blocks_svg(found: Comparison) -> str:
    """Each block's median in its place: circles and crosses, so that colour is not all that tells them apart."""
    sides = [[value for value in medians if math.isfinite(value)] for medians in (found.medians_a_ms, found.medians_b_ms)]
    everything = sorted(value for side in sides for value in side)
    if not everything:
        return ""
    # A disturbed block may lie ten times higher; it is drawn on the edge, so that the others can be told apart.
    low, high = everything[len(everything) // 50], everything[-1 - len(everything) // 50]
    room = max((high - low) * 0.15, high * 0.005)
    frame = _Frame(max(map(len, sides)), low - room, high + room)
    marks = [_mark(frame, kind, place + 0.5, value) for kind, side in enumerate(sides) for place, value in _some(side)]
    return _svg("blocks", [*(frame.line(value, format_duration_ms(value)) for value in dict.fromkeys((low, high))), *marks])


def _some(values: Sequence[float]) -> list[tuple[int, float]]:
    step = max(1, math.ceil(len(values) / MOST_MARKS))
    return list(enumerate(values))[::step]


def _mark(frame: _Frame, kind: int, place: float, value: float) -> str:
    x, y = frame.x(place), frame.y(value)
    if kind == 0:
        return f'<circle class="a" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>'
    return f'<path class="b" d="M{x - 2.6:.1f} {y - 2.6:.1f}l5.2 5.2m0-5.2l-5.2 5.2"/>'

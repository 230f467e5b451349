"""What the schedules of pipelines cost, by the simulator that the workers' order comes from."""

from itertools import product
from typing import TYPE_CHECKING

import pandas as pd

from methods.reverse.parallel.schedule import KINDS, Kind, Schedule, bubble, in_flight, simulate
from reports.figure import Figure
from reports.studies.parallel.workers import LOOKS, NAMES
from reports.style import grid
from reports.table import Cell, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STAGES, MICRO_BATCHES = 4, 8
"""Those of the schedules that are drawn slot by slot."""
BACK = 2
"""The way back is about twice as much work as the way forward."""
_COUNTS, _TIMES = (2, 4, 8), (1, 2, 4, 8)
_FORWARD, _BACKWARD = "#9ecae1", "#08519c"
_SHADES = ("#999999", "#666666", "#222222")


def law(stages: int, micro_batches: int) -> float:
    """The bubble of both schedules where all stages take equally long: (K - 1) / (M + K - 1)."""
    return (stages - 1) / (micro_batches + stages - 1)


def build() -> list[Table]:
    """The bubble and the micro-batches in flight, of both schedules."""
    return [_table()]


def simulated() -> pd.DataFrame:
    """For each schedule, K and M: the simulated bubble beside the law, and what each stage has in flight."""
    rows = []
    for stages, times, kind in product(_COUNTS, _TIMES, KINDS):
        schedule = simulate(kind, stages, times * stages, backward_cost=BACK)
        rows.append(
            {
                "schedule": kind,
                "K": stages,
                "M": times * stages,
                "bubble": float(bubble(schedule)),
                "law": law(stages, times * stages),
                "in_flight": " ".join(map(str, in_flight(schedule))),
            }
        )
    return pd.DataFrame(rows)


def _table() -> Table:
    data = simulated()
    columns = ["schedule", "stages K", *(f"bubble, M =|{_of(times)}" for times in _TIMES)]
    columns += [f"in flight by stage, M = {_of(_TIMES[-1])}"]
    rows = []
    for kind, stages in product(KINDS, _COUNTS):
        own = data[(data["schedule"] == kind) & (data["K"] == stages)].sort_values("M")
        cells = [
            Cell(f"{100 * row['bubble']:.1f} %", f"law {100 * row['law']:.1f} %", kind="number")
            for row in own.to_dict("records")
        ]
        most = _listed(own["in_flight"].iloc[-1])
        rows.append([Cell(NAMES[kind]), Cell(str(stages), kind="number"), *cells, Cell(most)])
    caption = (
        "Simulated, not measured: the share of all stages' time in which they are idle, where stages take "
        f"equally long, the way back {BACK} times as long as the way forward, and messages no time. The law "
        "is (K - 1) / (M + K - 1) for both. In flight: micro-batches whose activations a stage holds at the "
        "most, M under GPipe and K - k at stage k (from 0) under 1F1B."
    )
    return Table("parallel-schedules", "Bubble of the pipeline schedules", caption, columns, rows, data)


def _listed(held: str) -> str:
    """Numbers in a list, equal ones once."""
    each = held.split()
    return f"{each[0]} at each" if len(set(each)) == 1 else ", ".join(each)


def _of(times: int) -> str:
    return "K" if times == 1 else f"{times} K"


def draw_slots() -> Figure:
    """Who does what when, in both schedules."""
    canvas, axes = grid(len(KINDS), columns=1, height=1.9, share=False)
    canvas.set_figwidth(9.6)
    schedules = {kind: simulate(kind, STAGES, MICRO_BATCHES, backward_cost=BACK) for kind in KINDS}
    for panel, (kind, schedule) in zip(axes, schedules.items(), strict=True):
        _draw_schedule(panel, schedule)
        idle, most = float(bubble(schedule)), max(in_flight(schedule))
        panel.set_title(f"{NAMES[kind]}: idle {100 * idle:.0f} % of the time, at most {most} in flight")
    axes[-1].set_xlabel("time in that of a micro-batch forward through a stage")
    caption = (
        f"Simulated: {MICRO_BATCHES} micro-batches through {STAGES} stages, light forward and dark back, "
        f"with the number of the micro-batch; white is idle. The way back takes {BACK} times as long. Both "
        "are idle equally long; 1F1B begins to go back early, so that fewer micro-batches wait with their "
        "activations."
    )
    return Figure("parallel-schedules", "Schedules: who does what when", caption, canvas, _slots(schedules))


def _slots(schedules: dict[Kind, Schedule]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "schedule": kind,
            "stage": slot.stage,
            "operation": slot.step.operation,
            "micro_batch": slot.step.micro_batch,
            "start": float(slot.start),
            "end": float(slot.end),
        }
        for kind, schedule in schedules.items()
        for slot in schedule.slots
    )


def _draw_schedule(axes: "Axes", schedule: Schedule) -> None:
    for slot in schedule.slots:
        forward, start, width = (
            slot.step.operation == "forward",
            float(slot.start),
            float(slot.end - slot.start),
        )
        axes.barh(
            slot.stage, width, left=start, height=0.86, color=_FORWARD if forward else _BACKWARD,
            edgecolor="white", linewidth=0.8,
        )  # fmt: skip
        axes.text(
            start + width / 2, slot.stage, str(slot.step.micro_batch), ha="center", va="center", fontsize=7,
            color="black" if forward else "white",
        )  # fmt: skip
    axes.set_yticks(range(schedule.stages), [f"stage {stage}" for stage in range(schedule.stages)])
    axes.set(xlim=(0, float(max(slot.end for slot in schedule.slots))), ylim=(schedule.stages - 0.5, -0.5))
    axes.grid(visible=False)


def draw_bubbles() -> Figure:
    """The bubble against M / K, and what is in flight at each stage."""
    canvas, (left, right) = grid(2, height=3.2, share=False)
    data = simulated()
    for shade, stages in zip(_SHADES, _COUNTS, strict=True):
        own = data[data["K"] == stages]
        at = [times * stages for times in _TIMES]
        left.plot(_TIMES, [law(stages, count) for count in at], "--", color=shade, linewidth=1)
        for kind, marker, size in zip(KINDS, "ox", (7, 5), strict=True):
            points = own[own["schedule"] == kind]
            left.plot(
                points["M"] / stages, points["bubble"], marker, color=shade, mfc="none", markersize=size
            )
        left.annotate(
            f"K = {stages}", (_TIMES[0], law(stages, at[0])), (-9, 0), textcoords="offset points", fontsize=8,
            color=shade, ha="right", va="center",
        )  # fmt: skip
    left.set_xscale("log", base=2)
    left.set_xticks(_TIMES, [f"{times}" for times in _TIMES])
    left.set(
        title="share of time idle",
        xlabel="micro-batches for each stage, M / K",
        ylabel="bubble",
        xlim=(0.7, 9),
        ylim=(0, 0.55),
    )
    _draw_flight(right)
    caption = (
        "Left: the bubble of GPipe (circles) and 1F1B (crosses), simulated, on the law "
        "(K - 1) / (M + K - 1), dashed. Right: the micro-batches in flight at each of "
        f"{STAGES} stages, M = {MICRO_BATCHES}: what a stage must hold in memory."
    )
    return Figure("parallel-bubble", "Bubble and micro-batches in flight", caption, canvas, data)


def _draw_flight(axes: "Axes") -> None:
    for kind, offset in zip(KINDS, (-0.2, 0.2), strict=True):
        held = in_flight(simulate(kind, STAGES, MICRO_BATCHES, backward_cost=BACK))
        at = [stage + offset for stage in range(STAGES)]
        bars = axes.bar(
            at, held, width=0.38, color=LOOKS[f"pipeline {NAMES[kind]}"].colour, label=NAMES[kind]
        )
        axes.bar_label(bars, fontsize=8)
    axes.set_xticks(range(STAGES))
    axes.set(
        title="micro-batches in flight", xlabel="stage k", ylabel="at most", ylim=(0, MICRO_BATCHES * 1.3)
    )
    axes.legend(loc="upper right", ncols=2)

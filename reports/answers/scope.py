"""What was measured, and how it ended."""

from reports import numbers
from reports.answers.sentences import listed
from reports.run import Run
from reports.table import Sentence


def what(run: Run) -> Sentence | None:
    """What was measured, where and when."""
    cases = run.main
    if cases.empty:
        return None
    problems = listed(sorted({scene.partition(" (")[0] for scene in cases["scene"]}))
    low, high = cases["P"].min(), cases["P"].max()
    sizes = f"P = {numbers.count(low)}" + (f" to {numbers.count(high)}" if high > low else "") + " parameters"
    where = f"on {listed(dict.fromkeys(cases['place']))} in {listed(dict.fromkeys(cases['dtype']))}"
    methods = cases["method"].nunique()
    machine, started = run.environment.get("cpu"), str(run.environment.get("started") or "")
    text = f"{methods} method{'s' if methods > 1 else ''} on {problems}, {sizes}, {where}"
    text += f", measured on {machine}" if machine else ""
    return (f"{text}, {started[:16].replace('T', ' ')}." if started else f"{text}.",)


def how_many(run: Run) -> Sentence:
    """How the cases ended."""
    counts = run.cases["status"].value_counts()
    rest = [f"{count} {status}" for status, count in counts.items() if status != "done"]
    text = f"{int(counts.get('done', 0))} of {len(run.cases)} cases finished"
    return (f"{text}; {listed(rest)}, with their reasons below." if rest else f"{text}.",)

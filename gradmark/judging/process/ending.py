"""How the process of a judged method may end before its time, and what each ending says about the method."""

import signal
import sys
from pathlib import Path

from gradmark.judging.process.worker import LOADING
from gradmark.judging.verdict import Finding

_LOADING = 60.0
"""Seconds in which a method must be loaded, where no budget was given: large libraries take ten."""
_GRACE_OF_CALL = 0.25
_GRACE_OF_JUDGE = 1.0
"""Parts of the budget by which a call of the method, and the judge's own work between two calls, may exceed
it. Both look at the clock between calls only."""
_LEAST_GRACE = 3.0
"""Seconds beyond a small budget."""
_LONGER = 10.0
"""A call is taken to hang, and not to be slow, when it lasted so many times as long as any before it."""
_TAIL = 2**14
"""Bytes of what a method printed that are repeated."""


def limit(budget: float | None, wanted: float | None, *, in_call: bool) -> float:
    """The seconds after which the process is stopped: since the method was loaded, or until it is."""
    if budget is None:
        return max(_LOADING, wanted or 0.0)
    return budget + max(_LEAST_GRACE, budget * (_GRACE_OF_CALL if in_call else _GRACE_OF_JUDGE))


def finding(
    code: int | None, stage: str, where: str, call: float | None, longest: float, spent: float, log: Path
) -> Finding:
    """What an ending says. `code` is that of the process, None if it had to be stopped.

    `call` are the seconds that the method had been running for (None: it was not running, so that nothing can
    be held against it), `longest` those of its longest call before.
    """
    kind, how = _how(code, call, longest, spent, log)
    on = f" on {where}" if where and where not in (stage, LOADING) else ""
    doing = "while the method was loaded" if stage in ("", LOADING) else f"in the stage `{stage}`{on}"
    guilty = call is not None and kind != "slow"
    # A process that ends between calls may have been ended by the judge, or by the machine.
    reason = f"the {'method' if guilty or kind == 'slow' else 'process of the judge'} {how} {doing}."
    check = "contract" if stage in ("", LOADING) else stage
    return Finding(f"{check}.{kind}", "failed" if guilty else "undecided", reason, where, seconds=spent)


def interrupted(stage: str, where: str) -> Finding:
    """What a report says that a person cut short."""
    doing = "before the first stage" if stage in ("", LOADING) else f"in the stage `{stage}`"
    return Finding("contract.interrupted", "undecided", f"it was stopped by hand, {doing}.", where)


def show_output(log: Path) -> None:
    """Repeat on standard error what the process wrote: the end of it, if it is long."""
    data = log.read_bytes() if log.exists() else b""
    if data.strip():
        cut = f"[... {len(data) - _TAIL} bytes ...]\n" if len(data) > _TAIL else ""
        text = data[-_TAIL:].decode(errors="backslashreplace")
        print(f"{cut}{text.rstrip()}", file=sys.stderr, flush=True)


def _how(code: int | None, call: float | None, longest: float, spent: float, log: Path) -> tuple[str, str]:
    """One word for the ending, and a clause."""
    if code is None:
        if call is not None and call < _LONGER * longest:
            took = f"its last call had taken {call:.1f} s, the longest one before {longest:.1f} s"
            return "slow", f"had no time left after {spent:.0f} s ({took}: give a larger budget)"
        lasted = "" if call is None else f": a call had not returned after {call:.1f} s"
        return "hang", f"hung, and was stopped after {spent:.1f} s{lasted},"
    after = f"after {spent:.1f} s"
    if code == -signal.SIGKILL:
        return "memory", f"was killed {after}, as the kernel does when memory runs out,"
    if code < 0:
        return "crash", f"crashed with {_signal(-code)} {after}"
    return "exit", f"ended its process with exit code {code} {after}{_last_words(log)}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # real-time signals have no names
        return f"signal {number}"


def _last_words(log: Path) -> str:
    lines = log.read_bytes()[-_TAIL:].decode(errors="replace").strip().splitlines() if log.exists() else []
    return f" ({lines[-1].strip()})" if lines else ""

"""Running code that somebody else wrote: whatever it does, it ends its own case and no other."""

import sys
import traceback
from collections.abc import Callable

from gradmark.measuring.out_of_memory import is_out_of_memory
from gradmark.run.records import Status
from gradmark.run.session import Candidate, Session, Stage

_LONGEST_REASON = 300


def attempt(session: Session, candidate: Candidate, stage: Stage, action: Callable[[], object]) -> bool:
    """Run `action` for `candidate`; True if it came back. An exception ends the case as failed.

    A case whose turn comes when the time is over ends as skipped. The traceback goes to the worker's log.
    """
    if candidate.ended:
        return False
    if session.left() <= 0:
        session.end(
            candidate, "skipped", f"the {session.limit:g} s of its comparison were over before its turn"
        )
        return False
    session.announce(candidate.index, stage)
    try:
        action()
    except (Exception, SystemExit) as error:
        traceback.print_exc(file=sys.stderr)
        session.end(candidate, *verdict(error))
    return not candidate.ended


def verdict(error: BaseException) -> tuple[Status, str]:
    """How a case ends by this exception, and why: its type and the first line of what it says."""
    kind, lines = type(error).__name__, str(error).strip().splitlines()
    reason = f"{kind}: {lines[0][:_LONGEST_REASON]}" if lines else kind
    return ("out of memory" if is_out_of_memory(error) else "failed"), reason

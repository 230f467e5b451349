"""``scorecard.json``: all results, with what is needed to repeat them."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gradmark.errors import UsageError
from reports.scorecard.outcome import Result


@dataclass(frozen=True)
class Scorecard:
    """Results, and the versions, machine and command they come from."""

    results: tuple[Result, ...]
    environment: dict[str, Any]

    @property
    def checkers(self) -> list[str]:
        """The checkers, in the order in which they were asked."""
        return list(dict.fromkeys(result.checker for result in self.results))


def write(scorecard: Scorecard, path: Path) -> None:
    """Write the file. Raises `UsageError` where it cannot be written."""
    content = {
        "environment": scorecard.environment,
        "results": [
            {key: _plain(value) for key, value in asdict(each).items()} for each in scorecard.results
        ],
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the scorecard cannot be written to `{path}`: {error}; choose another place."
        ) from error


def read(path: Path) -> Scorecard:
    """Read the file. Raises `UsageError` where it holds no scorecard."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        results = tuple(
            Result(**{key: _number(key, v) for key, v in each.items()}) for each in content["results"]
        )
        return Scorecard(results, dict(content["environment"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"`{path}` holds no scorecard ({error}): make it by `gradmark scorecard`."
        ) from error


_NUMBERS = ("error", "evaluations", "seconds")


def _plain(value: Any) -> Any:
    """JSON knows no NaN and no infinity: they are written as words."""
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value


def _number(key: str, value: Any) -> Any:
    return float(value) if key in _NUMBERS and isinstance(value, str) else value

"""How wrong a gradient is: the error profile, array by array and in total."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradmark.arrays import Array, epsilon, to_numpy
from gradmark.errors import UsageError
from gradmark.measuring.float_class import float_class
from gradmark.measuring.norms import correct_digits, cosine, norm, ratio, ulp_distance
from gradmark.measuring.underflow import underflowed
from gradmark.reference.reference import Reference

_NOT_FINITE = "not finite"


@dataclass(frozen=True)
class ArrayError:
    """The error of one array of the gradient; see `ErrorProfile` for what the fields share with it.

    `absolute` is ||g - r||, which can be compared between arrays; `worst` the index of the entry that is
    furthest from the reference. `underflowed` is the fraction of entries that are zero in g and not in r, and
    `root_mean_square` the size of an entry of r.
    """

    relative: float
    digits: float
    cosine: float
    norm_ratio: float
    ulp: float
    absolute: float
    worst: tuple[int, ...]
    underflowed: float = 0.0
    root_mean_square: float = math.nan


@dataclass(frozen=True)
class ErrorProfile:
    """The error of a whole gradient g against the reference r, all arrays as one vector.

    `relative` = ||g - r|| / ||r||. `digits` = -log10 of it, at least 0, and no more than the dtype and the
    uncertainty of the reference let one see. `cosine` = <g, r> / (||g|| ||r||), `norm_ratio` = ||g|| / ||r||.
    `ulp` is the largest distance of an entry beyond the reference's uncertainty, in units of the last place
    that the dtype has at the reference. `float_class` names the dtype whose rounding the error looks like
    (see `gradmark.measuring.float_class`). `underflowed` is the fraction of all entries that are zero in g
    and not in r.

    Where r is zero within its uncertainty, a g that is so too has no error (relative 0, cosine and norm ratio
    1), and any other has nothing right (relative and norm ratio infinite, cosine 0). A gradient that holds a
    NaN or an infinity has infinite error and cosine 0, and its float class is "not finite".
    """

    relative: float
    digits: float
    cosine: float
    norm_ratio: float
    ulp: float
    float_class: str
    arrays: dict[str, ArrayError]
    underflowed: float = 0.0


def profile(gradient: Mapping[str, Array], reference: Reference, dtype: str) -> ErrorProfile:
    """The error profile of `gradient`, which was computed in `dtype`, against `reference`.

    Computed in NumPy's longdouble. Raises `UsageError` where names or shapes are not the reference's, or the
    numbers are not real.
    """
    wide = _checked(gradient, reference)
    lost = underflowed(wide, reference.gradient)
    arrays = {
        name: replace(
            _array_error(wide[name], r, reference.uncertainty[name], dtype),
            underflowed=lost[name],
            root_mean_square=norm(r) / math.sqrt(max(r.size, 1)),
        )
        for name, r in reference.gradient.items()
    }
    g, r = _joined(wide), _joined({name: reference.gradient[name] for name in wide})
    total = _array_error(g, r, reference.total_uncertainty, dtype)
    seen = max(total.relative, reference.relative_uncertainty)
    return ErrorProfile(
        relative=total.relative,
        digits=total.digits,
        cosine=total.cosine,
        norm_ratio=total.norm_ratio,
        ulp=max(error.ulp for error in arrays.values()),
        float_class=float_class(seen) if math.isfinite(total.absolute) else _NOT_FINITE,
        arrays=arrays,
        underflowed=underflowed({"all": g}, {"all": r})["all"],
    )


def _array_error(g: Any, r: Any, uncertainty: float, dtype: str) -> ArrayError:
    with np.errstate(invalid="ignore"):
        difference = np.abs(g - r)
    # argmax takes a NaN for the largest, and so finds it.
    worst = tuple(int(i) for i in np.unravel_index(int(np.argmax(difference)), difference.shape))
    size, error = norm(r), norm(difference)
    if not math.isfinite(error):
        return ArrayError(math.inf, 0.0, 0.0, math.inf, math.inf, math.inf, worst)
    ulp = ulp_distance(g, r, uncertainty, dtype)
    if size <= uncertainty:
        return _beside_zero(error, uncertainty, ulp, dtype, worst)
    relative = ratio(error, size)
    return ArrayError(
        relative=relative,
        digits=correct_digits(max(relative, uncertainty / size, epsilon(dtype) / 2)),
        cosine=cosine(g, r),
        norm_ratio=ratio(norm(g), size),
        ulp=ulp,
        absolute=error,
        worst=worst,
    )


def _beside_zero(
    error: float, uncertainty: float, ulp: float, dtype: str, worst: tuple[int, ...]
) -> ArrayError:
    """The reference cannot tell its own array from zero: is the gradient's zero to the same uncertainty?"""
    if error <= 2 * uncertainty:
        return ArrayError(0.0, correct_digits(epsilon(dtype) / 2), 1.0, 1.0, ulp, error, worst)
    return ArrayError(math.inf, 0.0, 0.0, math.inf, ulp, error, worst)


def _joined(named: Mapping[str, Any]) -> Any:
    return np.concatenate([np.ravel(array) for array in named.values()]).astype(np.longdouble)


def _checked(gradient: Mapping[str, Array], reference: Reference) -> dict[str, Any]:
    missing, unknown = (
        reference.gradient.keys() - gradient.keys(),
        gradient.keys() - reference.gradient.keys(),
    )
    if missing or unknown:
        raise UsageError(
            f"the gradient's arrays are not the parameters': missing {sorted(missing) or 'none'}, unknown "
            f"{sorted(unknown) or 'none'}; return one array for each of {list(reference.gradient)}."
        )
    return {name: _checked_array(name, gradient[name], array) for name, array in reference.gradient.items()}


def _checked_array(name: str, array: Array, expected: Any) -> Any:
    numbers = to_numpy(array)
    if numbers.shape != expected.shape:
        raise UsageError(
            f"the gradient of `{name}` has shape {numbers.shape}, its parameter {expected.shape}: give each "
            "gradient the shape of its parameter."
        )
    if numbers.dtype.kind not in "fiu":
        raise UsageError(
            f"the gradient of `{name}` holds {numbers.dtype} numbers: return real ones (of a complex step, "
            "the imaginary part divided by the step)."
        )
    return numbers.astype(np.longdouble)

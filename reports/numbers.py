"""How numbers are printed: three significant digits, intervals in brackets, SI units, thin spaces."""

import math

DASH = "–"
"""Stands where there is no number."""

_UNBOUNDED = 6.0
"""The largest exponent that `gradmark.measuring.scaling` tries."""

_THIN = "\u202f"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PREFIXES = {-12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P"}


def three(value: float | None, digits: int = 3) -> str:
    """`value` to three significant digits.

    >>> three(2.6182), three(1.2e-7), three(632000.0), three(None)
    ('2.62', '1.20×10⁻⁷', '6.32×10⁵', '–')
    """
    if value is None or math.isnan(value):
        return DASH
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    mantissa, exponent = _rounded(value, digits)
    if -3 <= exponent < 5:
        return _grouped(f"{mantissa * 10.0**exponent:.{max(digits - 1 - exponent, 0)}f}")
    return f"{mantissa:.{digits - 1}f}×10{str(exponent).translate(_SUPERSCRIPT)}"


def interval(low: float | None, high: float | None) -> str:
    """The interval in brackets, or nothing where there is none.

    >>> interval(0.97, 1.034), interval(623000.0, 655000.0), interval(None, None)
    ('[0.970, 1.03]', '[6.23, 6.55]×10⁵', '')
    """
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return ""
    left, right = three(low), three(high)
    power = left.partition("×")[2]
    if power and power == right.partition("×")[2]:
        return f"[{left.partition('×')[0]}, {right.partition('×')[0]}]×{power}"
    return f"[{left}, {right}]"


def exponent(value: float, low: float, high: float) -> str:
    """A fitted exponent with its interval; ends at -6 and 6 are where the fit ends, not the data.

    >>> exponent(1.004, 0.98, 1.03), exponent(1.5, -6.0, 6.0)
    ('1.00 [0.98, 1.03]', '1.50 [-∞, ∞]')
    """
    left = "-∞" if low <= -_UNBOUNDED else _two_places(low)
    right = "∞" if high >= _UNBOUNDED else _two_places(high)
    return f"{_two_places(value)} [{left}, {right}]"


def count(value: float | None) -> str:
    """A number of things, in full.

    >>> count(1000510) == "1\u202f000\u202f510", count(None)
    (True, '–')
    """
    if value is None or math.isnan(value):
        return DASH
    return _grouped(f"{value:.0f}") if float(value).is_integer() else three(value)


def si(value: float | None, unit: str) -> str:
    """With an SI prefix.

    >>> si(4.2e-5, "s"), si(1.5e6, "B"), si(0.0, "B")
    ('42.0\u202fµs', '1.50\u202fMB', '0\u202fB')
    """
    if value is None or math.isnan(value):
        return DASH
    if value == 0 or math.isinf(value):
        return f"{three(value)}{_THIN}{unit}"
    power = _power(value, unit)
    return f"{three(value / 10.0**power)}{_THIN}{_PREFIXES[power]}{unit}"


def si_interval(low: float | None, high: float | None, value: float, unit: str) -> str:
    """The interval in brackets, in the prefixed unit that `si` gives `value`.

    >>> si_interval(2.3e-3, 2.7e-3, 2.4e-3, "s")
    '[2.30, 2.70]'
    """
    if low is None or high is None or value == 0 or not math.isfinite(value):
        return interval(low, high)
    scale = 10.0 ** _power(value, unit)
    return interval(low / scale, high / scale)


def overhead(seconds: float) -> str:
    """The constant of a law of time; below a nanosecond it is what the fit leaves of zero.

    >>> overhead(2e-18), overhead(3.2e-5)
    ('none', '32.0\u202fµs')
    """
    return "none" if seconds < 1e-9 else si(seconds, "s")


def _power(value: float, unit: str) -> int:
    """The power of ten of the SI prefix that suits `value`; a byte is not divided."""
    power = min(max(3 * (_rounded(value, 3)[1] // 3), min(_PREFIXES)), max(_PREFIXES))
    return max(power, 0) if unit == "B" else power


def _two_places(value: float) -> str:
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text


def _rounded(value: float, digits: int) -> tuple[float, int]:
    """Mantissa and decimal exponent after rounding, so that 999.7 is 1.00e3 and not 1000e0."""
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return float(mantissa), int(exponent)


def _grouped(text: str) -> str:
    """Thousands apart by thin spaces from ten thousand on, and from one thousand on alike."""
    whole, dot, fraction = text.partition(".")
    return f"{int(whole):,}".replace(",", _THIN) + dot + fraction if len(whole.lstrip("-")) > 3 else text

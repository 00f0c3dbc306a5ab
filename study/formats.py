"""How numbers are written: in the terminal, on a page, in a notebook and in a table alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from study.stats import CorrectedMean, Interval

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def percent(fraction: float) -> str:
    """``2.40 %``."""
    return f"{100 * fraction:.2f} %"


def short_percent(fraction: float) -> str:
    """``3.5 %``: as many digits as it has."""
    return f"{100 * fraction:.4g} %"


def error(errors: float, n: int) -> str:
    """``2.40 % (43 of 1,791)``; a mean count has one decimal."""
    count = f"{errors:,}" if isinstance(errors, int) else f"{errors:,.1f}"
    return f"{percent(errors / n)} ({count} of {n:,})"


def interval(ends: Interval) -> str:
    """``1.93 % to 3.41 %``; an error is not below 0, nor above 1."""
    return f"{percent(max(ends.lower, 0))} to {percent(min(ends.upper, 1))}"


def mean_interval(error: CorrectedMean) -> str:
    """The interval of a mean error; ``at most 0.03 %`` where no image was misjudged, or all."""
    if error.is_bound and error.mean == 0:
        return f"at most {percent(error.interval.upper)}"
    if error.is_bound and error.mean == 1:
        return f"at least {percent(error.interval.lower)}"
    return interval(error.interval)


def points_interval(difference: CorrectedMean) -> str:
    """``+0.97 to +2.39``, percentage points; ``at most 0.21`` where all values were equal."""
    lower, upper = (
        min(max(end, -1), 1) for end in (difference.interval.lower, difference.interval.upper)
    )
    if difference.is_bound:
        return f"at most {100 * max(-lower, upper):.2f}"
    return f"{100 * lower:+.2f} to {100 * upper:+.2f}"


def counted_interval(ends: Interval, n: int) -> str:
    """``1.93 % to 3.41 % (35 to 61)``."""
    return f"{interval(ends)} ({max(ends.lower, 0) * n:.0f} to {min(ends.upper, 1) * n:.0f})"


def p_value(p: float) -> str:
    """``0.038``, or a bound where it is tiny."""
    return f"{p:.2g}" if p >= 0.001 else rate(float(f"{p:.1e}"))


def probability(p: float) -> str:
    """``0.38``, or a bound next to 0 and 1."""
    return "below 0.01" if p < 0.005 else "above 0.99" if p > 0.995 else f"{p:.2f}"


def power_of_ten(exponent: int) -> str:
    """``10⁻³``, and the small numbers that need no power."""
    if -2 <= exponent <= 1:
        return f"{10.0**exponent:g}"
    return "10" + str(exponent).translate(_SUPERSCRIPTS)


def rate(learning_rate: float) -> str:
    """A learning rate, three digits: ``0.0798``, ``2.5·10⁻⁵``, ``10⁻⁵``."""
    digits, _, exponent = f"{learning_rate:.3g}".partition("e")
    if not exponent:
        return digits
    power = power_of_ten(int(exponent))
    return power if digits == "1" else f"{digits}·{power}"


def value(parameter: object) -> str:
    """A hyperparameter's value: ``0.0798``, ``1,024``, ``relu``."""
    if isinstance(parameter, float):
        return rate(parameter)
    is_count = isinstance(parameter, int) and not isinstance(parameter, bool)
    return f"{parameter:,}" if is_count else str(parameter)


def parameter_name(name: str) -> str:
    """A hyperparameter's name in a sentence: ``learning rate``."""
    return name.replace("_", " ")


def parameters(configuration: Mapping[str, object]) -> str:
    """``learning rate 0.0798, 115 hidden units``: counts stand before what they count."""
    return ", ".join(
        f"{value(found)} {parameter_name(name)}"
        if isinstance(found, int) and name.endswith("s")
        else f"{parameter_name(name)} {value(found)}"
        for name, found in configuration.items()
    )


def seconds(duration: float) -> str:
    """A duration, as people say it."""
    if duration < 9.95:
        return f"{duration:.1f} s"
    minutes, rest = divmod(round(duration), 60)
    return f"{minutes:,} min {rest} s" if minutes else f"{rest} s"


def capital(said: str) -> str:
    """With a capital letter, unless it begins with a study's name."""
    return f"T{said[1:]}" if said.startswith("the ") else said


def plural(count: int, noun: str) -> str:
    """``1 trial``, ``2 trials``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def ordinal(count: int) -> str:
    """``2nd``, ``3rd``, ``11th``."""
    ends = {1: "st", 2: "nd", 3: "rd"}
    is_teen = count % 100 in (11, 12, 13)
    return f"{count:,}{'th' if is_teen else ends.get(count % 10, 'th')}"


def listed(items: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1]))) if items else "none"

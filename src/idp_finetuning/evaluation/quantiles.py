"""Quantiles of the beta and of Student's t distribution, without NumPy: they run in a small bundle.

Tests hold them against SciPy's. The continued fraction is DLMF 8.17.22, evaluated by Lentz's method.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import exp, inf, lgamma, log, log1p, sqrt

_STEPS = 300  # of the fraction; a few dozen are enough within a million pages
_TINY = 1e-300


def beta_quantile(probability: float, a: float, b: float) -> float:
    """Return x with I_x(a, b) = probability, for a and b above 0."""
    return _bisect(lambda x: _beta_cdf(x, a, b), probability, 0.0, 1.0)


@lru_cache(maxsize=4096)
def t_quantile(probability: float, degrees: float) -> float:
    """Return the quantile of Student's t, for a probability above 0.5 and at least one degree of freedom."""
    # P(T > t) = I_x(degrees/2, 1/2) / 2 at x = degrees / (degrees + t^2)
    x = beta_quantile(2 * (1 - probability), degrees / 2, 0.5)
    return sqrt(degrees * (1 - x) / x) if x > 0 else inf


def _bisect(cdf: Callable[[float], float], probability: float, low: float, high: float) -> float:
    """Halve the interval until floats have no number between."""
    while low < (middle := (low + high) / 2) < high:
        if cdf(middle) < probability:
            low = middle
        else:
            high = middle
    return middle


def _beta_cdf(x: float, a: float, b: float) -> float:
    """Return the regularized incomplete beta function I_x(a, b) for 0 < x < 1."""
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_cdf(1 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, _STEPS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * fraction


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY

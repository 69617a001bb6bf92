from __future__ import annotations

import pytest
from scipy import stats

from idp_finetuning.evaluation.quantiles import beta_quantile, t_quantile

PARAMETERS = (0.05, 0.3, 1.0, 2.5, 30.0, 400.0, 5_000.0, 50_000.0)


@pytest.mark.parametrize("probability", [0.025, 0.5, 0.975])
@pytest.mark.parametrize("a", PARAMETERS)
@pytest.mark.parametrize("b", PARAMETERS)
def test_the_beta_quantile_is_scipys(probability: float, a: float, b: float) -> None:
    expected = stats.beta.ppf(probability, a, b)

    assert beta_quantile(probability, a, b) == pytest.approx(expected, rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("degrees", [1, 2, 5, 9, 30, 100, 1_000, 100_000])
def test_the_t_quantile_is_scipys(degrees: int) -> None:
    assert t_quantile(0.975, degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=1e-8)

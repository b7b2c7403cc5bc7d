"""Agreement of predicted standard deviations with measured errors: coverage of intervals, and overconfidence.

`Joints.sigma_m` is the standard deviation of a joint's distance from its true position: the root of the summed
variances of the three axes, as the body's fit takes and returns it. With the same variance s^2 on each axis, sigma^2 =
3 s^2, and |error|^2 / s^2 has a chi-square distribution with three degrees of freedom; of an error in the image plane,
with two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "CONFIDENT",
    "axis_sigma",
    "coverage_pct",
    "overconfident_pct",
    "pixel_coverage_pct",
]

CHI_SQUARE_90 = {2: 4.60517, 3: 6.25139}
"""90 % quantiles of the chi-square distribution, by degrees of freedom."""
CONFIDENT = 0.5
"""A joint is confident above this."""
BEYOND_SIGMAS = 3.0
"""A confident joint is overconfident where its distance from the truth is more than this number of sigmas."""


def axis_sigma(sigma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard deviation of one axis (...) for that of the distance (...), in the same unit."""
    return np.asarray(sigma / np.sqrt(3.0))


def coverage_pct(errors_m: NDArray[np.float64], sigma_m: NDArray[np.float64]) -> float:
    """Return the share [%] of joints in the predicted 90 % interval; NaN where no joint has error and sigma.

    Args:
        errors_m: (...) distance of each joint from the true position [m]; NaN = not compared.
        sigma_m: (...) of `Joints` [m]; NaN = not estimated, the joint is left out.
    """
    return _share_pct(errors_m**2 / axis_sigma(sigma_m) ** 2 <= CHI_SQUARE_90[3], errors_m, sigma_m)


def pixel_coverage_pct(
    errors_px: NDArray[np.float64],
    sigma_m: NDArray[np.float64],
    px_per_m: NDArray[np.float64],
    tolerance_px: float,
) -> float:
    """Return the share [%] of joints whose marks lie in the predicted 90 % interval in the image.

    Args:
        errors_px: (...) distance of each projected joint from its mark [px]; NaN = not compared.
        sigma_m: (...) of `Joints` [m].
        px_per_m: (...) focal length by the joint's depth [px/m].
        tolerance_px: Standard deviation of a mark's distance from the true position [px]; its variance is added.
    """
    squares_px = 2.0 * (axis_sigma(sigma_m) * px_per_m) ** 2 + tolerance_px**2
    # Of a distance in the image, half of the variance is along each axis.
    return _share_pct(errors_px**2 / (squares_px / 2.0) <= CHI_SQUARE_90[2], errors_px, sigma_m)


def overconfident_pct(
    errors_m: NDArray[np.float64], sigma_m: NDArray[np.float64], confidence: NDArray[np.float64]
) -> float:
    """Return the share [%] of all compared joints that are confident and more than three sigma from the truth.

    Args:
        errors_m: (...) distance of each joint from the true position [m]; NaN = not compared.
        sigma_m: (...) of `Joints` [m].
        confidence: (...) of `Joints`, 0-1.
    """
    beyond = (errors_m > BEYOND_SIGMAS * sigma_m) & (confidence > CONFIDENT)
    return _share_pct(beyond, errors_m, sigma_m)


def _share_pct(inside: NDArray[np.bool_], errors: NDArray[np.float64], sigma: NDArray[np.float64]) -> float:
    known = np.isfinite(errors) & np.isfinite(sigma)
    return 100.0 * float(np.mean(inside[known])) if known.any() else float("nan")

"""The step that balances the noise of a difference with its truncation in the mean square.

More and Wild (2012, "Estimating derivatives of noisy simulations", ACM TOMS 38): with noise of standard
deviation e, a forward difference errs by h |f''| / 2 and sqrt(2) e / h, whose squares add up to the least at
h = 8^(1/4) (e / |f''|)^(1/2); a central one at h = 3^(1/3) (e / |f'''|)^(1/3).
"""

from methods.finite_difference.stencils.weights import Stencil, central, one_sided


def forward_step(noise: float, second: float) -> float:
    """8^(1/4) sqrt(e / |f''|).

    >>> forward_step(1e-8, 2.0**1.5)
    0.0001
    """
    return balanced_step(one_sided(), noise, second)


def central_step(noise: float, third: float) -> float:
    """3^(1/3) (e / |f'''|)^(1/3).

    >>> round(central_step(1e-9, 3.0), 12)
    0.001
    """
    return balanced_step(central(2), noise, third)


def balanced_step(stencil: Stencil, noise: float, derivative: float) -> float:
    """The same for any stencil: the h of the least (c h^p D)^2 + (w e / h)^2.

    c is its `truncation`, w its `noise`, D the size of the derivative of order p + 1 (not zero).
    """
    ratio = stencil.noise * noise / (stencil.truncation * derivative)
    return float((ratio * ratio / stencil.order) ** (1 / (2 * stencil.order + 2)))

"""Finite changes of a layer's parameters: what the difference rules of layers share."""

from gradmark.arrays import Array
from gradmark.layer import Own


def changed(p: Own, dp: Own | None) -> dict[str, Array]:
    """p + dp, under short names; a parameter without a change stays what it is.

    A layer that is affine in x and in p by themselves changes by its pushforward along dx and dp, taken at
    changed parameters: (W + dW) dx + dW x + db.
    """
    return {**p, **{name: p[name] + change for name, change in (dp or {}).items()}}

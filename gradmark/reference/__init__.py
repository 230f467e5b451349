"""References: gradients that state their own uncertainty, to judge others by.

`select` takes the most exact kind that is possible at a `point`: `closed_form`, `complex_step`, `pullback`,
`graph`, `complex_step_narrow`, `differences`. `reference` is what comes out. `rounding` and `ladder` give
them their uncertainty; a `witness` (the loss along random directions) and `vouch` decide whether one is
believed. `carried` tells what a pass back through layers rounds, `slope` and `noise` what differences of the
loss say, `scale` how far they may step, `cost` what all of it may take.

Of what else may be asked (`gradmark.quantities`), `quantity` selects the reference in the same way: `asked`
is the question, `first_order` and `second_order` answer it, `vector_slope` has their differences, and
`vouched_quantity` decides whether one is believed.
"""

from gradmark.reference.quantity import quantity_reference
from gradmark.reference.reference import NoReference, Reference
from gradmark.reference.select import best_reference

__all__ = ["NoReference", "Reference", "best_reference", "quantity_reference"]

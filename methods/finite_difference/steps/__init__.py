"""How far to step: rules for finite differences, as pure functions, each with its reason.

`by_dtype` looks at the dtype and the size of the parameters, `room` at what the dtype resolves and at the
bounds of a domain. The other rules measure: `noise_level` how much of a loss is rounding, `curvature` the
derivative that truncation is made of, and `more_wild`, `gill` and `shi` what step follows from both. `lines`
evaluates a problem along some coordinates of each array for them, and `choosing` is where a method asks.
`along` steps along directions.
"""

from methods.finite_difference.steps.by_dtype import Rule as Rule
from methods.finite_difference.steps.by_dtype import central_rule as central_rule
from methods.finite_difference.steps.by_dtype import complex_rule as complex_rule
from methods.finite_difference.steps.by_dtype import forward_rule as forward_rule
from methods.finite_difference.steps.by_dtype import lengths as lengths
from methods.finite_difference.steps.by_dtype import order_rule as order_rule
from methods.finite_difference.steps.by_dtype import scale as scale
from methods.finite_difference.steps.by_dtype import sizes as sizes
from methods.finite_difference.steps.by_dtype import wanted as wanted
from methods.finite_difference.steps.by_dtype import wanted_alone as wanted_alone
from methods.finite_difference.steps.room import check_room as check_room
from methods.finite_difference.steps.room import resolved as resolved
from methods.finite_difference.steps.room import towards as towards
from methods.finite_difference.steps.room import within as within

"""Dual numbers: arrays that carry their derivatives along, through plain Python functions of NumPy arrays.

`dual_array` is the array, `level` one derivative that is being taken, and `rules` the tables of what is known
of NumPy's functions: `elementwise`, `selecting`, `rearranging`, `placing`, `joining`, `reducing`,
`multiplying` and `solving` fill them. `differentiating` has the derivatives of plain functions, `method` the
gradient method, and `quantities` what it gives beside the gradient.
"""

from methods.forward.dual_numbers import elementwise as elementwise
from methods.forward.dual_numbers import joining as joining
from methods.forward.dual_numbers import multiplying as multiplying
from methods.forward.dual_numbers import rearranging as rearranging
from methods.forward.dual_numbers import reducing as reducing
from methods.forward.dual_numbers import selecting as selecting
from methods.forward.dual_numbers import solving as solving
from methods.forward.dual_numbers.differentiating import derivative as derivative
from methods.forward.dual_numbers.differentiating import gradient as gradient
from methods.forward.dual_numbers.differentiating import jvp as jvp
from methods.forward.dual_numbers.dual_array import DualArray as DualArray

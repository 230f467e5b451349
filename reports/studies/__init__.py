"""Pages of their own for what one study asks: each is made of the records that its comparisons have written.

`pages` finds the studies that a run holds, `frame` is what all their pages have in common; `memory`,
`precision`, `parallel`, `differences`, `structure`, `jacobians`, `variance` and `evolution` make the page of
one. A study goes by the name that its comparisons carry in the plan; its cases are not on the main page.
"""

NAMES = ("memory", "precision", "parallel", "differences", "structure", "jacobians", "variance", "evolution")
"""The studies with a page of their own."""

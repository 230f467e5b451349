"""What a right gradient keeps to without any reference: invariances.

`additivity` over the rows of a batch, `linearity` in the loss (of a `scaled` problem), `permutation` of
hidden units, `direction`: the slope of the loss itself. Each asks a `subject`, a method at one point (a
truncated one by `binding` with a known step), for gradients and for the slack that rounding and truncation
need; `comparison` turns what came out into a finding.
"""

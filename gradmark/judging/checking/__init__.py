"""Inside `gradmark.check_gradient`: what a claimed gradient is compared with, where, and how closely.

- What was given: `inputs` (options, looked at once), `as_given` (the same as Python), `space` (the point as
  a flat vector), `objective` and `carried` (the function, in an arithmetic), `meter` (evaluations and time),
  `task`, `sides` and `vector_sides` (a gradient, a vjp, a jvp), `outputs`, `claimed` (the gradient, held to
  its contract) and `same_again`.
- The oracle: `arithmetic` (which the function carries), `spot` (the function at a point), `line`
  (differences along a direction), `kink`, `noisiness`, `slopes` (the references), `vouching` (which is
  believed), `trouble` (why one is no good, in words).
- The comparison: `points`, `directions`, `allowance` (how far a correct gradient may be off), `acquittal`
  (what only the gradient itself can show of that), `compare` (one direction), `examine` (one point),
  `locate` (the entry at fault), `detectable` (what would have been seen), `findings`, `record`, and `course`
  (all of it in order).
"""

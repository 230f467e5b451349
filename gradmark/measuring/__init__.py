"""What is measured of one call, and how well a number is known.

Quantities: `error` (its distances in `norms`, `float_class` for the dtype it looks like), `time` (one
function in `stopwatch`, a shared budget in `allotment`, `threads` pinned), `memory` (in a `forked` child,
from `resident`; `out_of_memory` knows its errors), what is `saved` for the way back, `flops` and `underflow`.
`scaling` fits laws to many, by `profile_likelihood`, and `exponent` says whether a fitted exponent is the
claimed one.

`interval` and `statistics` say how well a number is known. What judging a random estimate takes has a file
each: `skew_corrected` (a mean of skewed numbers), `chi_square` (exact laws), `e_process` (looking after
every number), `equivalence`, `holm`, `spending` (sharing a false-alarm probability), `rates`, `binomial`.
The package is not called `measure`, because that is the function `gradmark.measure`.
"""

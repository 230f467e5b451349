"""What is measured of one call: `error`, `time`, `memory` and `flops`; `scaling` fits laws
to many, and `exponent` says whether a fitted exponent is the claimed one.

`interval` and `statistics` say how well a number is known. What judging a random estimate takes has a file
each: `skew_corrected` (a mean of skewed numbers), `chi_square` (exact laws), `e_process` (looking after
every number), `equivalence`, `holm`, `spending` (sharing a false-alarm probability), `rates`, `binomial`.
The package is not called `measure`, because that is the function `gradmark.measure`.
"""

"""What is measured of one call: `error`, `time`, `memory` and `flops`; `scaling` fits laws
to many, and `exponent` says whether a fitted exponent is the claimed one.

`interval` and `statistics` say how well a number is known. The package is not called `measure`, because
that is the function `gradmark.measure`.
"""

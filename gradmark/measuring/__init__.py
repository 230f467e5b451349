"""What is measured of one call: `error`, `time`, `memory` and `flops`; `scaling` fits laws to many.

`interval` and `statistics` say how well a number is known. The package is not called `measure`, because
that is the function `gradmark.measure`.
"""

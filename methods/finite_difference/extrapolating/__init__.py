"""Several steps for each coordinate: an `extrapolation` over a `ladder` of steps, and a `search` for one.

`estimated` is what the methods share that say how far off they are.
"""

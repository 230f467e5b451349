"""Difference quotients of fixed points: their `weights`, on one side (`one_sided`) and on both (`symmetric`).

`of_outputs` takes them of the outputs. `options` are the hyper-parameters that they have in common, `erring`
the estimate of their error, for which `together` looks at all coordinates.
"""

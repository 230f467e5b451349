"""Difference quotients of fixed points: their `weights`, on one side (`one_sided`) and on both (`symmetric`).

`options` are the hyper-parameters that they have in common, `erring` the estimate of their error.
"""

"""Losses at moved points: `coordinates` together, `one_by_one` where functions take no population.

`moved_outputs` has the outputs there. `accumulating` adds a loss up in float64. `probing` looks at losses on
the host, for methods that decide from them; `edges` says where a step leaves a domain, `analytic` whether a
loss is analytic, and `analytic_outputs` whether outputs are.
"""

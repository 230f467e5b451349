"""Differences that use a network's layers, a file for each method, and beside it its form on dense chains.

`weight_difference` moves single weights (`weight_difference_on_chains`), `node_difference` nodes
(`node_difference_on_chains`; `node_changes` for any layers, `node_steps` how far); both run the `suffixes`
behind what moves, or the buffers of `dense_chains`. `divided_difference` passes changes of nodes on without
subtracting (`divided_difference_on_chains`).
"""

"""Reverse mode: one pass forward and one back.

`backprop` is derived by hand; `backprop_in_place` is its fast sibling, and `compiled_by_jax` what it shares
with JAX's own gradient. `autograd` is torch's. `path_sum` goes path by path through the graph of nodes that
`paths` makes of a network.
"""

"""Reverse mode: one pass forward and one back.

`backprop` is derived by hand; `backprop_in_place` is its fast sibling, with layers bound to `buffers`, and
`compiled_by_jax` what it shares with JAX's own gradient. `reversible_backprop` keeps no states where layers
can be inverted. `autograd` is torch's. `backprop_quantities` and `autograd_quantities` are what these two
give beside the gradient. `path_sum` goes path by path through the graph of nodes that `paths` makes of a
network.
"""

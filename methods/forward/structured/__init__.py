"""Forward mode that uses a network's layers: one tangent for each node, or one random move of all nodes.

`node_tangent` is exact: `node_slopes` has it for any layers, `node_tangent_on_chains` for the `levels` of a
dense chain. `activity_perturbation` is random: its three steps are `activity_passes`, its variance
`activity_variance`.
"""

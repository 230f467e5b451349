"""Forward mode: derivatives along directions, by hand, by torch or by JAX.

The methods have a file each: `tangent` (by hand), `node_tangent` (by hand, one for each node: `node_slopes`
has it for any layers, `node_tangent_on_chains` for the `levels` of a dense chain), `jvp` and `forward_ad`
(torch), `forward_gradient` (random directions) and `activity_perturbation` (random moves of nodes, in the
three steps of `activity_passes`, with the variance of `activity_variance`). `slopes` has the directional
derivatives that they share, `basis` the whole gradient made of them, `products` those of the outputs;
`jvp_quantities` is what `jvp` gives beside the gradient.
"""

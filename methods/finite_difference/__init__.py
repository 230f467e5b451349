"""Differences of the loss: `steps` says how far to step, `coordinates` evaluates (and `one_by_one`).

The methods have a file each: `forward_difference` and `backward_difference`, which share `one_sided`;
`central_difference` and `stencil_difference`, which share `symmetric` and take their weights from `stencils`;
and `complex_step`, which `analytic` checks. What the first four have in common are `options`, a loss that is
added up in float64 (`accumulating`), an estimate of their error (`erring`) and what is said at the `edges` of
a domain. `richardson` and `adaptive_difference` (by a `search`) take the best entry of an `extrapolation`
over a `ladder` of steps, each coordinate its own, from losses that they look at on the host (`probing`).
`gradient_difference` takes differences of gradients. `divided_difference` passes changes of nodes on without
subtracting (`divided_difference_on_chains` in buffers).

`weight_difference` and `node_difference` use a network's layers: the `suffixes` behind what moves, nodes
(`node_changes`, `node_steps`), and on `dense_chains` the fast forms `weight_difference_on_chains` and
`node_difference_on_chains`.
"""

"""Differences of the loss, a file for each method.

Black boxes: `forward_difference`, `backward_difference`, `central_difference` and `stencil_difference` are
`stencils`; `richardson` and `adaptive_difference` choose among several steps by `extrapolating`;
`complex_step` steps aside, of outputs in `complex_step_quantities`. `steps` says how far to step, and
`evaluating` computes losses and outputs there. `gradient_difference` takes differences of gradients.
`structured` has those that use a network's layers.
"""

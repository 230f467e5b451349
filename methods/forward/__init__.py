"""Forward mode: derivatives along directions, by hand, by torch or by JAX.

The methods have a file each: `tangent` (by hand), `jvp` (torch) and `forward_gradient` (random directions).
`slopes` has the directional derivatives that they share, `basis` the whole gradient made of them.
"""

"""Forward mode: derivatives along directions, by hand, by torch or by JAX.

The methods have a file each: `tangent` (by hand), `jvp` and `forward_ad` (torch) and `forward_gradient`
(random directions); `dual_numbers` carries tangents through plain functions of NumPy arrays, `structured` has
those that take one tangent for each node. `slopes` has the directional derivatives that they share, `basis`
the whole gradient made of them, `products` those of the outputs; `jvp_quantities` is what `jvp` gives beside
the gradient.
"""

"""Forward mode: derivatives along directions, by hand, by torch or by JAX."""

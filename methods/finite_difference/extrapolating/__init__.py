"""Several steps for each coordinate: an `extrapolation` over a `ladder` of steps, and a `search` for one."""

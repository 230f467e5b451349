"""Evolution strategies: estimates of the gradient from values of the loss around a point.

A file for each method: `gaussian_es`, `spsa`, `sphere_es`, `orthogonal_es`, `sobol_es`, `least_squares_es`,
`guided_es`, `low_rank_es` (its moves are in `factors`, its fast form for dense chains in
`low_rank_on_chains`: `low_rank_lanes` are what a thread works in, `low_rank_layers` one layer's part), `mezo`
(`mezo_on_chains`). What they share: `mirrored` and `one_sided` moves, `shaping`, the named steps between the
losses and their weights, `calling`, the frame of a method that reads the loss alone, and `hadamard`, vectors
of signs that are orthogonal. Those that use a network's layers are in `structured`,
those for truncated unrolls in `unrolled`, the one over several processes in `distributed`.
"""

"""Evolution strategies: estimates of the gradient from values of the loss around a point.

A file for each method: `gaussian_es`, `spsa`, `sphere_es`, `orthogonal_es`, `sobol_es`, `least_squares_es`,
`guided_es`, `mezo` (`mezo_on_chains` is its fast form). What they share: `mirrored` and `one_sided` moves,
`shaping`, the named steps between the losses and their weights, `calling`, the frame of a method that reads
the loss alone, and `hadamard`, vectors of signs that are orthogonal. Moves of low rank are in `low_rank`,
those that use a network's layers in `structured`, those for truncated unrolls in `unrolled`, the one over
several processes in `distributed`.
"""

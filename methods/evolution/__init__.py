"""Evolution strategies: estimates of the gradient from values of the loss around a point.

A file for each method. `mirrored` holds what the methods share that evaluate each move with its mirror image;
`shaping` the named steps between the losses and their weights.
"""

"""A random method as numbers alone. `estimates` draws them and `replicates` sums them up; `decision` draws
until it knows whether `mean_and_variance` are those of the `declaration` (`mean_and_variance_in_words` says
so), or `direction` for those that claim no more; `polynomial_degree` tells what smoothing does to a loss,
`sample_ladder` how errors fall with samples; `random_impostors` must be convicted.
"""

"""The problems of gradmark: networks and their layers, real data, test functions (gradmark built-ins).

`mlp` and `logistic_regression` are made of `network`, a chain of layers on `data` with one of the `losses`
and `initialisations`, which `assembling` puts together; `plain_forward` is the pass in which costs are
counted. `profiles` are the plans of ``gradmark run``, `trials` those of ``gradmark validate``.
"""

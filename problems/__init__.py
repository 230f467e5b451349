"""The problems of gradmark: networks and their layers, real data, test functions (gradmark built-ins).

`mlp` and `logistic_regression` are made of `network`, a chain of layers on `data` with one of the `losses`
(or `zero_one`) and `initialisations`, which `assembling` puts together. `deep_mlp`, `resnet_mlp` and
`reversible_mlp` repeat one layer as it stands in `hidden`; with `mlp` they share the `choices` that a person
has, and `freezing` makes constants of what their normalisations measure. `convnet` looks at images;
`transformer` reads the `text` of a grammar; `rnn` and `lstm` add numbers in `sequences`, and `stepping` shows
the steps in time one by one. `vector_map` has its inputs for parameters; `functions` are those of one array,
and `systems` evolve in time. `plain_forward` is the pass in which costs are counted. `profiles` are the plans
of ``gradmark run`` (`variants` are methods that the quick one measures once), `trials` those of ``gradmark
validate``, on the `trial_problems`.
"""

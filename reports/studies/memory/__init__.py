"""The page of the study of memory.

`page` puts it together; `lead` says what is found, with `trades` about recomputation. `cases` is how they see
a case: what it holds beside the gradient, and how many forward passes it makes; `theory` says how much that
should be. `by_activation`, `by_layer`, `by_depth`, `structured` and `flops` make the tables, `depth` and
`frontier` the figures, on axes with the labels of `ticks`.
"""

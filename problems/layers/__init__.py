"""The layers that networks are made of, with the derivatives that methods push through them.

`dense` and `activation` are the layers; `nonlinearities` are the formulas of the activation functions, with
`branches` to choose among, `log1p` for complex numbers and `normal_cdf`, and `in_buffers` for those that can
be written into one; `jumping` are those whose values jump; `differences` are those of their finite changes,
and `changed` takes those of parameters. `linear` is `dense` without a bias, `held` that with a constant
matrix; `batch_norm` and `layer_norm` share `standardising` and `torch_norms`; `dropout` and `softmax` are
layers too. `chain` makes one layer of several, `residual` adds its input to what a chain makes of it, and
`coupling` can be inverted. `convolution` (by `torch_convolution` on torch) and `pooling` slide `windows` over
images. `opening` puts layers in that make inputs or offsets into parameters (`offset_within` where the nodes
are inside of a layer). `embedding` (with `scatter`), `attention` and `transformer_block` are the parts of a
transformer; `recurrent` and `lstm` (with `gates`) share the loop of `unrolling`, and `unrolled_difference`
passes changes through it.
"""

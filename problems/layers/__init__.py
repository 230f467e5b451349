"""The layers that networks are made of, with the derivatives that methods push through them.

`dense` and `activation` are the layers; `nonlinearities` are the formulas of the activation functions, with
`log1p` for complex numbers. `opening` puts a layer in front that makes inputs or offsets into parameters.
"""

"""The gradient methods of gradmark, a folder for each family (gradmark built-ins).

`answering` and `answering_by_jax` have what the families share where more is asked than a gradient.
"""

"""The stages of a validation, one file each, in the order in which they are held.

Of every method: `contract`, what whoever calls it is owed, and of exact and truncated ones `accuracy` beside
a reference, the `order` of an error in the step, and `invariance` without a reference; `quantities` examines
what is computed beside the gradient, `estimates` what a method says of its own error. Of stochastic ones:
`identification` of the weights in one call, the law of their `noise`, `bias` without noise, the mean by
`sequential` estimates, and `efficiency`, how the error falls with samples. Then `cost`, and `controls`, which
puts impostors before the judge himself. What a stage needs beyond its own rule has a package beside this one.

A stage has `NAME`, which trials carry among their roles; ``applies(claims)``, None or the reason in words why
there is nothing to examine; and ``examine(hearings)``, which yields findings, each as soon as it is made, for
the hearings whose trial has its role.
"""

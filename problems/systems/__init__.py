"""Systems that evolve in time, where long unrolls, jumps and noise part what methods call the gradient.

`system` is what they share: a state, a step, and the cost that is made on the way, as a problem. In
`logistic_map` the unroll is chaotic, and the gradient true and useless; in `influence_balancing` a truncated
unroll has the wrong sign; in `contact_cliff` the mean of the gradients is not the gradient of the mean. `lqr`
is the control case, in which all methods agree, with its gradient in closed form; `cart_pole` is a task of
reinforcement learning, in a smooth form and in one that jumps.
"""

"""Test functions, one file each, with the gradient in closed form.

`quadratic` is ill-conditioned, `rosenbrock` a curved valley, `log_sum_exp` what overflows when it is written
carelessly, `heaviside` a unit that jumps, and `polynomial` has a known mean under search noise, which the
judge needs.
"""

"""Other libraries' own gradients, to compare with, a file each.

torch: `func_grad` (torch.func), `compiled` (torch.compile), `torch_checkpoint` and `torch_autocast`; JAX:
`jax_grad` and, forward, `jax_jvp`; NumPy: `hips_autograd`, and differences by `scipy_difference`,
`scipy_jacobian` and `numdifftools_gradient`. Evolution strategies: `evosax_open_es` on JAX, `evotorch_pgpe`
on torch. `func_grad_quantities` and `jax_grad_quantities` are what two of them give beside the gradient.
torch.autograd itself stands in `methods.reverse`.
"""

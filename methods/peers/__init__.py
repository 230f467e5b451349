"""Other libraries' own gradients, to compare with, a file each.

torch: `func_grad` (torch.func), `compiled` (torch.compile), `torch_checkpoint` and `torch_autocast`; JAX:
`jax_grad`; NumPy: `hips_autograd`. torch.autograd itself stands in `methods.reverse`.
"""

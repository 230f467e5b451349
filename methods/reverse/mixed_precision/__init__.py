"""Backpropagation in 16 bits with a master copy in 32: the method, its narrow passes, and the loss scale."""

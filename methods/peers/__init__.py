"""Other libraries' own gradients, to compare with."""

"""The gradient methods of gradmark, a folder for each family (gradmark built-ins)."""

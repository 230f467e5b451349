"""The comparisons of the studies that have a page of their own.

Of reverse mode: `memory`, `precision` and `parallel`; of forward mode and finite differences: `differences`,
`structure`, `jacobians` and `variance`; of evolution strategies: `evolution`. Each has ``quick()`` and
``full()``, which the profiles of ``gradmark run`` with these names contain; `plans` puts them together.
"""

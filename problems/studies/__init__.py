"""The comparisons of the studies that have a page of their own: `memory`, `precision` and `parallel`.

Each has ``quick()`` and ``full()``, which the plans of ``gradmark run`` with these names contain.
"""

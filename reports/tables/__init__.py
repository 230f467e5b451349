"""The tables of the page, one file for each.

`summary` comes first, then the `laws` of growth and the `denominators` of ratios; `skips` is what has no
number, `cases` what the links lead to, `environment` where it was measured, `asv` what asv has measured.
"""

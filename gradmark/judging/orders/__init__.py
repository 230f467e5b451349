"""The order of a truncated method, measured.

`ladder` calls the method with a ladder of steps and takes its errors, `fit` reads the order off them,
`control` does the same with the judge's own difference, and `question` says what both together mean.
"""

"""The page of the study of jacobians.

`page` puts it together and says what is found; `ratios` pairs forward with reverse mode and finds where they
cross, with the table; `figure` draws both over n / m.
"""

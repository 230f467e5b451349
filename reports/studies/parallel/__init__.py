"""The page of the study of parallel work.

`page` puts it together and `lead` says what is found. `exactness`, `weights`, `normalised`, `speed` and
`schedules` each make the tables and figures of one question; `workers` is how they see a case: its kind, and
how many work.
"""

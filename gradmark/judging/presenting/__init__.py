"""A judgement as it is shown, one file for each form.

`text` is for a terminal, `json` and `junit` for machines, `html` a page with the `figure` of digits, `brief`
the verdicts in short, kept beside the code they speak of. `matrix` is the table that text and page share,
`words` says numbers and findings the same way everywhere, and `printable` makes foreign text fit to be shown.
"""

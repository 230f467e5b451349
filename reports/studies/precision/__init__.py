"""The page of the study of precision.

`page` puts it together and `lead` says what is found. `formats` is how the page sees a case: its number
format, what it keeps in float32, its loss scale; `entries` the errors of the gradient array by array, and
`networks` which cases belong to one network of several depths. `layers`, `depths` and `zeros` draw, `losses`
and `costs` make the tables.
"""

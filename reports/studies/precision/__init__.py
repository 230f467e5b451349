"""The page of the study of precision.

`page` puts it together; `lead` says what is found, `costing` what of it is about memory and time. `formats`
is how the page sees a case: its number format, what it keeps in float32, its loss scale; `entries` the errors
of the gradient array by array, and `networks` which cases belong together. `layers`, `depths` and `zeros`
draw, `losses` and `costs` make the tables, of whose numbers `cells` knows how they are printed.
"""

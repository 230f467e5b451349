"""The page of the study of structure.

`page` puts it together and says what is found; `growth` is counted work and time by P with their exponents,
`beside` the ratio between black-box methods and structured ones; both have a table and a figure.
"""

"""The page of the study of differences.

`page` puts it together and says what is found; `prediction` tells from a problem alone where the best step of
a stencil lies and what error is left there; `sweeps` pairs that with the measured curves, in a table;
`curves` draws them, and `sizes` error against P.
"""

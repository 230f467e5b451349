"""The page of the study of evolution strategies.

`page` puts it together and says what is found; `estimates` is how it sees a case; `laws` holds the table of
measured cosine, scale and shrunk error beside their laws, `rates` the error against the number of samples,
`moves` the error against the size of the moves, `sizes` the evaluations that a cosine takes at each P.
"""

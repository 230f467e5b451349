"""The page of the study of variance.

`page` puts it together and says what is found; `laws` is how it sees a case, with the table; `figure` draws
variance against directions.
"""

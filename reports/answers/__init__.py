"""The lead of the page: what the run says, in sentences made from its numbers, one file for each question.

`scope`, `cost`, `error`, `claims` and `choice` answer; `lead` puts their sentences in order. `selection` is
where the answers are read off, `sentences` makes lists whose numbers stay cells.
"""

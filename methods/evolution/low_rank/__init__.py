"""Moves of low rank: `low_rank_es` is the method, `factors` what a member draws and moves by.

`low_rank_on_chains` is its fast form for dense chains: `lanes` are what a thread works in, `layers` one
layer's part.
"""

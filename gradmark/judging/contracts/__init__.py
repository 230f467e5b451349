"""What every gradient method owes whoever calls it, in parts: `form`, `purity`, `rebound`, `work` and
`inputs`.

`part` is what their findings are made with.
"""

"""The figures of the page, one file for each; `growth` draws what those over P have in common.

Over P: `cost`, `time` and `functions` (other problems than networks). The others: `depth`, `frontier`,
`samples` of stochastic methods, and `steps` of finite differences.
"""

"""Evolution strategies that use a network's layers: they move its nodes, and each row has its own loss.

A file for each method: `node_perturbation`, with independent noise, and `hadamard_node_es`, whose moves are
`patterns` from the rows of Hadamard matrices (`hadamard_orders`). Both are estimates by `node_moves`, on
dense chains by `nodes_on_chains`; `moves` says what those need to know.
"""

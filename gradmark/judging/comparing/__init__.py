"""A deterministic gradient beside a reference: `bounds` says how far it may be (`truncation`, for
differences, which are those of `difference_errors`; `node_truncation` and `node_rounding` at the nodes of a
network, `joint_truncation` where all of them move at once), `compared` is the rule, `diagnosis` tells what a
fault looks like, and `impostors` are what the rule must catch. `owned` is what a method says of its own
steps, `aimed` the reference of a clipped gradient, `uphill` the rule for a mere direction, and `range` tells
where a narrow dtype cannot be asked for anything.
"""

"""How fast hand-derived reverse mode is beside what people use, and what it holds: ``make speed``.

`dense` is the table of dense networks by size, batch and dtype, made of a `cell` for each; `deep` is
checkpointing at depth; `structured` is convolution, attention and recurrence; `start` how long gradmark takes
to begin. `bounds` are the limits that each is held against, `machine` pins the process and says what it runs
on. `steps` is how near measured steps of differences come to the best single one, from networks `swept` by
many. ``python -m benchmarks.speed dense deep`` (`__main__`) prints a part of it. One thread, on one CPU; what
is compared is interleaved in one process.
"""

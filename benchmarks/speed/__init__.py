"""How fast and how exact gradients are beside what people use, and what they hold in memory: ``make speed``.

Reverse mode: `dense` is the table of dense networks by size, batch and dtype, made of a `cell` for each;
`deep` is checkpointing at depth; `structured` is convolution, attention and recurrence. `forward` is forward
mode and `differences` finite differences, each with its error, of the `networks` and as `timed` there;
`estimators` the variance of random ones, `steps` how good a measured step is on a network `swept` by all
steps. `evolution` is evolution strategies beside what people use (`by_hand` in torch) and beside inference,
each way to an `estimated` gradient with its cosine and memory; `scales` how long the gradients of the peers
are. `start` is how long gradmark takes to begin. `bounds` are the limits that each is held against,
`machine` pins the process and says what it runs on. ``python -m benchmarks.speed dense deep`` (`__main__`)
prints a part of it. One thread, on one CPU; what is compared is interleaved in one process.
"""

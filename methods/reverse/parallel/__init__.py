"""Reverse mode over several processes that speak through torch.distributed.

The methods: `data_parallel_backprop` shares out the rows, `pipeline_backprop` the layers. `shard` and `stage`
are what one worker of each does; `splitting` says who has which rows and layers, `schedule` in which order a
stage works, and simulates it.

What both stand on: `group` is the workers as one of them sees them. `spawned` is a prepared function with
processes of its own: a `process` each, asked together as a `pool`, which `keeping` lends to all functions.
They run `worker`; `messages` say what they are told, `parcel` pickles what they are sent of a problem, and
arrays are in a `region` of memory that all see. `joined` is a prepared function that uses the processes which
torchrun started. `reasons` are those for which neither method takes a problem, `answer` makes an estimate of
what the workers computed, and `timing` measures time against workers.
"""

"""Evolution strategies for unrolled problems: mirrored particles go a window of steps on at each call.

A file for each method: `persistent_es` and `noise_reuse_es`. What they share are the `particles`, from one
call to the next, and `walking`, a few steps of many particles at once.
"""

"""Judging in a process of its own: `supervised` starts a `worker` and watches it, `watch` is what the worker
says of where it is, `ending` what its end says of the method.
"""

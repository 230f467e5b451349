"""Differences of the loss: `steps` says how far to step, `coordinates` evaluates.

The methods have a file each: `forward_difference`, `central_difference` and `complex_step`.
"""

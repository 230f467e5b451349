"""Differences of the loss: `steps` says how far to step, `coordinates` evaluates."""

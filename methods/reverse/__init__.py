"""Reverse mode: one pass forward and one back."""

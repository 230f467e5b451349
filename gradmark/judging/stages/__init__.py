"""The stages of a validation, one file each.

A stage has `NAME`, which trials carry among their roles; ``applies(claims)``, None or the reason in words why
there is nothing to examine; and ``examine(hearings)``, which yields findings, each as soon as it is made, for
the hearings whose trial has its role.
"""

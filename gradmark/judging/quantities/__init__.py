"""What the stage `quantities` rests on: jvp, vjp, Jacobian, hvp and Hessian before the judge.

A `question` is a method asked for one of them at a place; `references` are what the answer should be, and
`bounds` how far from it it may be, by what `truncation` does to differences. `answers` examines each answer
by itself, `algebra` several beside each other, `conduct` what a call leaves behind and refuses.
"""

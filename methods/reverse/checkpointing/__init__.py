"""Checkpointing: few states are kept on the way forward, and the others computed again on the way back.

`checkpointed_backprop` is the method. `steps` says what one step of a network is, and `actions` what a
schedule is made of; `uniform` and `revolve` are the schedules. `portable` follows one on any backend; where
the layers can work in buffers, `operations` turns it into single steps and `lifetimes` into calls of layers
with what they need when, `arena` says where each value lies in one buffer, and `in_place` runs it. `holding`
adds up what is held.
"""

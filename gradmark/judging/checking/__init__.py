"""Inside `gradmark.check_gradient`: what a claimed gradient is compared with, where, and how closely.

The way through: `space` (the point as one flat vector), `objective` and `carried` (the function in an
arithmetic), `meter` (evaluations and time), `line` (differences along a direction), `spot` (slopes at a
point, from two references), `arithmetic` (which are to be had), `directions`, `points`, `claimed` (the
gradient, called and held to its contract), `allowance` (how far a correct one may be off), `detectable`
(what is seen), `compare` (a direction), `examine` (a point), `locate` (the entry), `vector` (vjp and jvp),
`inputs` (what a person gave) and `course` (all of it in order).
"""

"""The judge: is a gradient right? Two doors, one kind of answer.

`validation` is the door for gradient methods. A `trial` names a problem and the `stages` that use it; the
`docket` makes a `hearing` of each, in which a method is called, and the stages are `held`; `clock` is the
time there is, `protocol` what is kept to repeat it, `repeating` the line of code that shows a finding again.
`sources` tells whether a stored judgement is stale.

`check` is the door for any function with a gradient that somebody wrote; the folder `checking` is behind it.

Both end in a `verdict` over findings, kept in a `judgement` that the folder `presenting` shows as text, JSON,
JUnit XML and a page. The folders of the stages: `places`, `comparing`, `contracts`, `orders`, `invariances`
and `costs` for all methods, `watching` and `replicating` for random ones; `process` judges from outside,
`calibrating` judges the judge.
"""

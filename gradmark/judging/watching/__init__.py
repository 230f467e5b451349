"""A random method whose queries are seen. `watched` calls it under `recording`; `seeing` makes `lines` and
`weights` of the queries; `identifying` judges the call and `weights_and_mean` the estimator's mean (`scales`
names the usual slips); `sample` pools the search noise that `noise_tests` hold against their `noise_nulls`;
`coupled` takes the noise out, so that bias is left, which is `vanishing`; `forged` impostors must be
convicted.
"""

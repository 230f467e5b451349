"""Running comparisons and keeping their records. The way of one comparison through these files:

- `plan` says what is to be measured; `naming`, `declared` and `resolving` turn words into problems, methods
  and the keys of their cases; `remaining` takes out what the `store` holds already and makes a `task` of
  the rest.
- `execute` goes through the tasks; `supervise` watches over the workers of one, each a `process` that says
  by a `marker` what it is doing; `progress` tells the person at the terminal.
- In the process `worker` builds the `session`; `measurement` is the order in which its candidates are
  measured: `admission`, then `calling` (work, and by `accuracy` the error), then `costing` (memory, and
  time beside `forward`). A method runs `bound` to its point, in an `attempt` that ends no case but its own,
  and `case_detail` says what it claims; products with a vector are measured
  along a `direction`.
- `records` are appended to the run's folder by `appending`; `environment`, `kernels` and `cpus` say where
  they were measured. `frame` reads a run as a table, and `difference` compares two.
"""

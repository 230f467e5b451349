"""The command line: `main` is the command, `commands` the group that plug-ins add to.

One file for each command: `run`, `show`, `compare`, `listing`, `validate` and `calibrate`. From options to
work: `selection` makes a plan for run, `cases` those for validate; `cluster` runs beyond one machine. Output:
`console` and `words` for tables, `following` for progress, `verdicts` for those of validate and its exit
code, `whole_file` for files that are there whole or not at all.
"""

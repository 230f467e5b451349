"""Records in, pages out: the reports of gradmark (gradmark built-ins).

- `command` is ``gradmark report``. `run` is a run as reports see it; `grouping` says which cases belong
  together, `series` are those over P, `laws` the growth fitted to them, `theory` what is predicted, and
  `frontier` which methods nobody beats. `asv_results` and `asv_laws` are the same of an asv suite.
- `page` is the page as data, made of `answers`, `tables` and `figures`; a `table` has `cells`, printed as
  `numbers`; a `figure` is drawn in one `style`, with `labels` beside its lines.
- `render` makes HTML and Markdown of a page, and `write` the files. `scorecard` is a page of its own, as is
  each of the `studies`.
"""

"""Records in, pages out: the reports of gradmark (gradmark built-ins)."""

"""The figures of the page, one file for each; `growth` draws what those over P have in common."""

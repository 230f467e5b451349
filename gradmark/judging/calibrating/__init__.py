"""Does the judge accuse the innocent as seldom as he says? The checks of correct gradients, counted.

`subjects` are correct methods, `series` what is asked of them, `counts` what came of it, `pages` shows it.
"""

"""``python -m gradmark``: the command line."""

from gradmark.cli.main import main

main()

"""What a method claims to cost, held against what it does: `counts` of passes, which are exact; `growth` of a
measured cost by a law, which `times` and `memories` measure; and `hidden` work, which no count shows.
"""

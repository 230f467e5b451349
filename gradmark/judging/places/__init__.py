"""Where methods are judged, and by what: several `sites` of a problem (`saturation` and `kinks` find the odd
ones), and the `references` there, which several methods share.
"""

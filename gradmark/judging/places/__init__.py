"""Where methods are judged, and by what: several `sites` of a problem (`saturation` and `kinks` find the odd
ones), and the `references` there. What several methods share there is `shared`: it is found once.
"""

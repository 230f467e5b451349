"""References: gradients that state their own uncertainty, to judge others by."""

from gradmark.reference.reference import NoReference, Reference
from gradmark.reference.select import best_reference

__all__ = ["NoReference", "Reference", "best_reference"]

"""Self-conditioning: labels that a generator gives its own training pictures, and what is done with them."""

from .labels import Labels, load_labels, save_labels
from .schema import Attribute, Schema

__all__ = ["Attribute", "Labels", "Schema", "load_labels", "save_labels"]

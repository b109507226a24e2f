"""Self-conditioning: labels that a generator gives its own training pictures, and what is done with them."""

from .schema import Attribute, Schema

__all__ = ["Attribute", "Schema"]

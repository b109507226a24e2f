"""The oracle: networks that judge pictures in evaluations, and are never used to edit."""

from .oracle import Look, Oracle, load_oracle

__all__ = ["Look", "Oracle", "load_oracle"]

"""The oracle: networks that judge pictures in evaluations; no edit asks them."""

from .oracle import Look, Oracle, load_oracle

__all__ = ["Look", "Oracle", "load_oracle"]

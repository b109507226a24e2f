"""Model files: which container a file is, and one reader per container; no byte of a file is ever executed."""

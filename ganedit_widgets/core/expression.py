"""Expressions in shown code: which names they use, and which of them a file may contribute."""

from __future__ import annotations

import ast

FINDERS = {"channel", "condition", "load_directions", "load_generator", "load_segmenter", "pca", "range", "sefa"}
HARMLESS = (ast.Expression, ast.Call, ast.keyword, ast.Name, ast.Subscript, ast.Constant, ast.Tuple, ast.List)
SIGNS = (ast.UnaryOp, ast.USub, ast.Load)


def names_in(code: str) -> set[str]:
    """Return every name that a piece of Python reads."""
    return {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}


def is_harmless(code: str) -> bool:
    """Tell whether `code` only calls finders and loaders on the generator and on constants; nothing is run to tell."""
    if not code:
        return True
    try:
        tree = ast.parse(code, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    called: set[int] = set()
    for node in ast.walk(tree):
        if not isinstance(node, HARMLESS + SIGNS):
            return False
        if isinstance(node, ast.Call):
            if not (isinstance(node.func, ast.Name) and node.func.id in FINDERS):
                return False
            called.add(id(node.func))
        if isinstance(node, ast.Name) and id(node) not in called and node.id != "generator":
            return False
    return True

"""Parts of pictures, found in activations without labels: clusters, what channels contribute to them, their catalog."""

from .build import BuildProgress, build_catalog, clusterable, default_layer
from .catalog import CatalogPart, PartCatalog
from .catalog_file import load_catalog, save_catalog
from .kmeans import Clusters, spherical_kmeans
from .queries import greedy_query, simple_query, soft_query

__all__ = [
    "BuildProgress",
    "CatalogPart",
    "Clusters",
    "PartCatalog",
    "build_catalog",
    "clusterable",
    "default_layer",
    "greedy_query",
    "load_catalog",
    "save_catalog",
    "simple_query",
    "soft_query",
    "spherical_kmeans",
]

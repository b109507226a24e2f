"""Parts of pictures, found in activations without labels: clusters, what channels contribute to them, their catalog."""

from .budget import BudgetProgress, fit_budget
from .build import BuildProgress, build_catalog, clusterable, default_layer
from .catalog import CatalogPart, PartCatalog
from .catalog_file import load_catalog, save_catalog
from .color import difference, lab
from .kmeans import Clusters, spherical_kmeans
from .meters import Change, Meter, heat, meter, region
from .queries import greedy_query, simple_query, soft_query
from .suggest import suggest
from .survey import SurveyPoint, SurveyProgress, silhouette, survey

__all__ = [
    "BudgetProgress",
    "BuildProgress",
    "CatalogPart",
    "Change",
    "Clusters",
    "Meter",
    "PartCatalog",
    "SurveyPoint",
    "SurveyProgress",
    "build_catalog",
    "clusterable",
    "default_layer",
    "difference",
    "fit_budget",
    "greedy_query",
    "heat",
    "lab",
    "load_catalog",
    "meter",
    "region",
    "save_catalog",
    "silhouette",
    "simple_query",
    "soft_query",
    "spherical_kmeans",
    "suggest",
    "survey",
]

"""Keep a catalog of parts in a file: safetensors with a readable header; never code, never pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..errors import LatentError
from .catalog import CatalogPart, PartCatalog
from .kmeans import Clusters

KEY, VERSION = "ganedit.parts", 1
SHIPPED = Path(__file__).parents[2] / "demo" / "weights" / "parts.safetensors"


def save_catalog(path: str | Path, catalog: PartCatalog) -> None:
    """Write a catalog to `path`, a .safetensors file. Raises `LatentError` if it cannot be written."""
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(catalog_bytes(catalog))
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise LatentError(f"The catalog cannot be written to {path} ({error}): choose another place.") from None


def catalog_bytes(catalog: PartCatalog) -> bytes:
    """Return what `save_catalog` writes."""
    tensors: dict[str, Tensor] = {"centers": catalog.clusters.centers.detach().cpu().float().contiguous()}
    for layer, m in catalog.contributions.items():
        tensors[f"m/{layer}"] = m.detach().cpu().float().contiguous()
    header = {
        "version": VERSION,
        "fingerprint": catalog.fingerprint,
        "layer": catalog.layer,
        "objective": catalog.clusters.objective,
        "seed": catalog.clusters.seed,
        "parts": [{"name": p.name, "clusters": list(p.clusters), "color": list(p.color)} for p in catalog.parts],
    }
    return save(tensors, {KEY: json.dumps(header)})


def load_catalog(path: str | Path) -> PartCatalog:
    """Return the catalog in a file; "demo" means the one that ships with the demo model.

    One of another checkpoint loads too, and is refused where it is used.
    Raises `LatentError` if the file is missing, damaged, or holds no catalog.
    """
    try:
        with safe_open(SHIPPED if str(path) == "demo" else Path(path), framework="pt") as file:
            header = (file.metadata() or {}).get(KEY)
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}
        if header is None:
            raise LatentError(f"There is no catalog of parts in {path}: give a file that `save_catalog` wrote.")
        return _catalog(json.loads(header), tensors, str(path))
    except FileNotFoundError:
        raise LatentError(f"There is no file {path}: check the name.") from None
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LatentError(f"{path} is damaged or no catalog of parts ({error}): save it again.") from None


def _catalog(header: dict[str, Any], tensors: dict[str, Tensor], path: str) -> PartCatalog:
    if header["version"] > VERSION:
        raise LatentError(f"{path} was written by a newer version of this library: upgrade it.")
    centers = tensors.pop("centers")
    contributions = {name.removeprefix("m/"): m for name, m in tensors.items()}
    parts = tuple(_part(entry) for entry in header["parts"])
    counted = sorted(c for part in parts for c in part.clusters)
    if counted != list(range(len(centers))) or any(len(m) != len(centers) for m in contributions.values()):
        raise ValueError("its parts do not fit its clusters")
    clusters = Clusters(centers, float(header["objective"]), int(header["seed"]))
    code = f"load_catalog({path!r})"
    return PartCatalog(str(header["fingerprint"]), str(header["layer"]), clusters, contributions, parts, code)


def _part(entry: dict[str, Any]) -> CatalogPart:
    red, green, blue = (int(c) for c in entry["color"])
    return CatalogPart(str(entry["name"]), tuple(int(c) for c in entry["clusters"]), (red, green, blue))

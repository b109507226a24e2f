"""One training process among several: started by ``torchrun``, or alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist


def start_process(device: str | None = None) -> tuple[torch.device, bool]:
    """Join the other processes, if any; return this process's device and whether it is the chief one."""
    rank, local = int(os.environ.get("RANK", 0)), int(os.environ.get("LOCAL_RANK", 0))
    use_cuda = torch.cuda.is_available() if device is None else device.startswith("cuda")
    if int(os.environ.get("WORLD_SIZE", 1)) > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if use_cuda else "gloo")
    if use_cuda:
        torch.cuda.set_device(local)
        return torch.device("cuda", local), rank == 0
    return torch.device(device or "cpu"), rank == 0


def processes() -> tuple[int, int]:
    """Return this process's rank and how many there are."""
    together = dist.is_available() and dist.is_initialized()
    return (dist.get_rank(), dist.get_world_size()) if together else (0, 1)


def await_others() -> None:
    """Go on when all processes have come here."""
    if processes()[1] > 1:
        dist.barrier()


@contextmanager
def chief_first() -> Iterator[None]:
    """Let the chief process do a thing alone, such as writing a cache; the others do it after, and find it done."""
    if processes()[0] > 0:
        await_others()
    yield
    if processes()[0] == 0:
        await_others()


def end_process() -> None:
    """Leave the other processes, once all have come to the end."""
    if dist.is_available() and dist.is_initialized():
        await_others()
        dist.destroy_process_group()

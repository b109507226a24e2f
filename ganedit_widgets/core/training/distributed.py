"""One training process among several: started by ``torchrun``, or alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor


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


def broadcast(tensor: Tensor) -> None:
    """Make `tensor` that of the chief process."""
    if processes()[1] > 1:
        dist.broadcast(tensor.data, 0)


def add_up(tensor: Tensor) -> Tensor:
    """Return the sum of what the processes have, in place."""
    if processes()[1] > 1:
        dist.all_reduce(tensor)
    return tensor


def any_of(asked: bool, device: torch.device) -> bool:
    """Return whether any process asks for it: so that all stop at the same step."""
    return asked if processes()[1] == 1 else bool(add_up(torch.tensor(float(asked), device=device)) > 0)


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Take one step of `optimizer` down `loss`, with gradients averaged over all processes; not finite ones count 0."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    for group in optimizer.param_groups:
        for p in group["params"]:
            if p.grad is not None:
                add_up(p.grad).div_(processes()[1])
                torch.nan_to_num(p.grad, nan=0, posinf=1e5, neginf=-1e5, out=p.grad)
    optimizer.step()


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

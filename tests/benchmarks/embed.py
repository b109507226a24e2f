"""How well and how fast a model embeds: run it after training, and when a default of `Embed` is to change.

    python tests/benchmarks/embed.py [model] iterations=100 rate=0.1 stay=0.0 space=w

Prints, for pictures of the model itself and for drawn portraits it never saw: PSNR after 50 steps, after 100 and at
the end, the perceptual distance, how far the latent lies out (about 1: like a sampled one), and the seconds taken.
"""

import sys
import time

import numpy as np
import torch

from ganedit_widgets.core import load_generator, to_pixels
from ganedit_widgets.core.edits import Embed, run
from ganedit_widgets.demo.portraits import PortraitDataset

COUNT = 4


def main(arguments):
    options = dict(a.split("=") for a in arguments if "=" in a)
    generator = load_generator(next((a for a in arguments if "=" not in a), "demo"))
    types = {name: type(getattr(Embed, name)) for name in options}
    edit = {name: types[name](value) for name, value in options.items()}
    pictures, _, _ = PortraitDataset(count=COUNT, size=generator.size[0], seed=77)[0:COUNT]
    groups = {
        "its own pictures": [to_pixels(generator.draw(generator.sample(100 + i))) for i in range(COUNT)],
        "drawn portraits": [np.ascontiguousarray(p.permute(1, 2, 0).numpy()) for p in pictures],
    }
    sys.stdout.write(f"{generator}, {Embed(groups['its own pictures'][0], **edit)}\n")
    for name, group in groups.items():
        rows, start = [], time.perf_counter()
        for pixels in group:
            told = []
            run(generator, generator.average(), Embed(pixels, **edit), report=told.append)
            marks = [told[min(step, len(told)) - 1]["psnr"] for step in (50, 100, len(told))]
            rows.append([*marks, told[-1]["perceptual"], told[-1]["distance"]])
        mean, seconds = np.mean(rows, 0), (time.perf_counter() - start) / COUNT
        sys.stdout.write(
            f"{name:18s} PSNR {mean[0]:.2f} {mean[1]:.2f} {mean[2]:.2f} dB, perceptual {mean[3]:.4f}, "
            f"distance {mean[4]:.2f}, {seconds:.1f} s\n"
        )


if __name__ == "__main__":
    torch.manual_seed(0)
    main(sys.argv[1:])

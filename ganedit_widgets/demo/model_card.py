"""The demo's model card, written from its results and training notes so that it cannot disagree with them.

Rewrite it with ``python -m ganedit_widgets.demo.model_card``; `ganedit evaluate demo` does so too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .files import write_whole
from .results_file import Metric, Results, read_results

CARD = Path(__file__).parent / "MODEL_CARD.md"
WEIGHTS = Path(__file__).parent / "weights"
SHOWN = {
    "frechet/generated": "Fréchet distance, generated to held-out renders",
    "frechet/floor": "the same, other renders to held-out renders (floor)",
    "frechet/ratio_to_floor": "ratio of the two",
    "kernel/generated": "kernel distance, generated to held-out renders",
    "tails/yaw": "strong poses (beyond 2σ), generated over data",
    "tails/age": "the oldest tenth, generated over data",
    "tails/glasses": "glasses, generated over data",
}
LABELS = {
    "identity/yaw_40_60/ours": "identity (cosine) kept over a turn of 40 to 60 degrees",
    "identity/yaw_40_60/best_baseline": "the same turn by the best of five directions of the model without labels",
    "identity/age_60_80/ours": "identity kept over 60 to 80 hundredths of the range of ages",
    "identity/age_60_80/best_baseline": "the same years by the best of five directions",
    "reach/yaw/ours": "degrees turned before identity is lost, or labels end",
    "reach/yaw/best_baseline": "degrees turned by the best of five directions",
    "reach/age/ours": "hundredths of the range aged before identity is lost, or labels end",
    "reach/age/best_baseline": "hundredths aged by the best of five directions",
    "coverage/yaw_60_75/ours": "share of people with a picture turned by 60 to 75 degrees",
    "coverage/yaw_60_75/best_baseline": "the same share by the best of five directions",
    "tails/yaw/after": "strong poses among pictures with labels as portraits have them",
    "tails/yaw/data": "strong poses among renders",
    "tails/age/after": "the oldest among pictures with labels as portraits have them",
    "tails/age/data": "the oldest among renders",
    "labels/glasses_auc": "area under the curve of glasses, labels of exact latents",
    "labels/glasses_auc_encoder": "the same, labels of latents that the encoder guesses",
    "frechet/after": "Fréchet distance to held-out renders",
    "frechet/before": "Fréchet distance of the model without labels",
}
STEERED = """\
## The model that takes labels
`load_generator("demo-self-conditioned")` is this generator, fine-tuned to take labels of yaw, age and glasses that its
own directions measure (`ganedit_widgets.demo.self_conditioned`): {pictures} pictures, by turns pairs of a portrait
and its labels, and the paper's game with such pairs as what is drawn. It had help that no other data set gives: the
latents that are labeled are those that the portraits were drawn from, not guessed ones, and pairs tell what labels
mean. Measured with `{command}`:

{metrics}

"""
CRITIC = (
    "The discriminator beside it, whose features are the perceptual distance, is that of an earlier GAN, trained on "
    "{pictures} of these portraits."
)
TEXT = """\
# Demo model

{head}
| | |
|---|---|
{training}

A StyleGAN2 trained by this package's own code ({command_train}) on portraits that
this package draws (`ganedit_widgets.demo.portraits`). **No picture shows a real person**: heads are shapes of a
renderer, and their attributes are drawn at random. Licence of weights and code: BSD-3-Clause.

Settings are those of the last leg. {critic}

## Intended use
Learning and demonstrating GAN editing, offline and on a CPU; measuring editing methods against known truth, because the
attributes and the part labels of every training portrait are known exactly. Not for recognizing, generating or judging
real people: nothing here has seen one.

## Training
Every portrait is drawn from fifty random numbers. They are put into z, turned by a fixed rotation and filled up with
numbers that mean nothing, so that every portrait is a pair of a latent and the picture it should give. First the
generator learns from such pairs alone, then the StyleGAN2 game is played with the pairs' loss beside it. While it
learns from pairs, w is also asked to tell what jumps as z moves (colors, hair style, glasses, beard) by a linear map.
Two processor cores learn in hours this way what a game alone would need days for. The price: **this latent space is
better ordered than one that nobody helped**. Every cause of a picture has an independent direction in Z, and those
few things are linear in W; pose, age, expression and shape are not asked of W, and nothing is asked of styles and
activations. No method here is told of any of it.

## Data
Portraits of seed 0. The distribution has long tails on purpose: strong poses, old age and
glasses are rare. Mild correlations are built in (glasses and gray hair with age, beards with hard features, dark hair
with deep skin), so that entanglement can be shown. Held-out portraits are those of other seeds.

## Measured
{n_note} Intervals are 95 % bootstrap intervals.

{metrics}

The oracle that measured this (`ganedit_widgets.demo.oracle`), on held-out renders:

{oracle}

The Fréchet distance is taken between features of that oracle, each scaled to unit variance over renders; it compares
with the floor beside it and with nothing published. What is said of generated pictures is the oracle's word, so no
number here is better than the oracle's own accuracy. The demo's directions were found from labels of the same oracle:
its word on what they move is a kind one.

{steered}## Limits
Drawn faces are simpler than photographs: what an editing method does here need not carry over.
{weakest}
The oracle has been trained on renders with blur, grain, tints and JPEG artifacts; a generated picture may still mislead
it. Attributes that a picture does not show (the hair length of a bald head) are left out of its accuracies.

Measured with `{command}` at commit {commit} on {machine} in {minutes:.0f} minutes.
"""


def model_card(
    results: Results, meta: Mapping[str, Any], critic_meta: Mapping[str, Any] | None = None, steered: str = ""
) -> str:
    """Return the card as Markdown, from the results of a full run and the notes in the files of both networks.

    `steered`: what `labels_section` says of the model that takes labels.
    """
    other = critic_meta is not None and critic_meta.get("pictures") != meta.get("pictures")
    critic = CRITIC.format(pictures=_words((critic_meta or {}).get("pictures"))) if other else ""
    metrics = results.metrics
    shown = {label: metrics[name] for name, label in SHOWN.items() if name in metrics}
    oracle = {name.removeprefix("oracle/"): m for name, m in metrics.items() if name.startswith("oracle/")}
    counts = sorted({metric.n for metric in shown.values()})
    return TEXT.format(
        head="![generated left, rendered right](results/demo_side_by_side.jpg)\n",
        training="\n".join(f"| {key.replace('_', ' ')} | {_words(value)} |" for key, value in meta.items()),
        critic=critic,
        command_train="`ganedit train demo`",
        n_note=f"On {' and '.join(map(str, counts))} pictures of each kind.",
        metrics=_table(shown),
        oracle=_table(oracle),
        steered=steered,
        weakest=_weakest(metrics),
        command=results.command,
        commit=results.commit,
        machine=results.machine,
        minutes=results.seconds / 60,
    )


def labels_section(results: Results, meta: Mapping[str, Any]) -> str:
    """Return what the card says of the model that takes labels, from its results and the notes in its file."""
    shown = {label: results.metrics[name] for name, label in LABELS.items() if name in results.metrics}
    return STEERED.format(pictures=_words(meta.get("pictures")), command=results.command, metrics=_table(shown))


def current_card() -> str:
    """Return the card of the model and results that lie in the package."""
    from ..core.generators.load import describe
    from ..core.readers.own import read_own

    critic = read_own(WEIGHTS / "discriminator.safetensors").meta
    labels = labels_section(read_results("self_conditioned"), describe("demo-self-conditioned").meta)
    return model_card(read_results("demo"), describe("demo").meta, critic, labels)


def write_model_card(path: Path = CARD) -> Path:
    """Write the card of the model and results that lie in the package."""
    return write_whole(path, current_card())


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {entry}" for key, entry in value.items())
    return f"{value:,}" if isinstance(value, int) and value >= 10_000 else str(value)


def _table(metrics: Mapping[str, Metric]) -> str:
    rows = [f"| {name} | {m.value:.3f} | {m.low:.3f} … {m.high:.3f} | {m.n} |" for name, m in metrics.items()]
    return "\n".join(["| | value | interval | n |", "|---|---|---|---|", *rows])


def _weakest(metrics: Mapping[str, Metric]) -> str:
    """Say which tail the generator covers worst."""
    found = {name: metrics[f"tails/{name}"] for name in ("yaw", "age", "glasses") if f"tails/{name}" in metrics}
    if not found:
        return ""
    name = min(found, key=lambda key: found[key].value)
    words = {"yaw": "strong poses", "age": "the oldest tenth", "glasses": "glasses"}
    if found[name].value >= 1:
        return "No measured tail is rarer among generated pictures than in the data."
    return f"Of the rare portraits, {words[name]} are generated {found[name].value:.2f} times as often as in the data."


if __name__ == "__main__":
    write_model_card()

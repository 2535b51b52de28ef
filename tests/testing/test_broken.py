"""Every check has small broken plugins, each one change away from one that passes everything, and blames them alone."""

from __future__ import annotations

import re

import pytest
import sketches
from exemplars import MODEL, Change

from gansdk.plugins.registry import core_only
from gansdk.testing import all_checks
from gansdk.testing.kit import Kit
from gansdk.testing.targets import TaskUnderTest

PACKAGE, OPTIONS, NETWORK, RECIPE = "__init__.py", "options.py", "model.py", "recipe.py"

BROKEN = {
    "names-are-clear": [
        Change(PACKAGE, '"usual": gansdk.Config', '"Usual": gansdk.Config'),
        Change(PACKAGE, "models=(MODEL,)", "models=(MODEL, MODEL)"),
    ],
    "plugin-works": [
        Change(PACKAGE, "return [METHOD]", "return METHOD"),
        Change(PACKAGE, "return [METHOD]", "raise SystemExit"),
    ],
    "imports-light": [
        Change(PACKAGE, "import gansdk\n", "import gansdk\nimport torch\n"),
        Change(PACKAGE, "import gansdk\n", "import gansdk\nfrom . import options\nimport numpy.linalg\n"),
    ],
    "metadata-complete": [
        Change("METADATA", "License-Expression: Apache-2.0\n", ""),
        Change("METADATA", "Summary: A plugin that passes every check\n", ""),
        Change(PACKAGE, 'paper="none; an example"', 'paper=""'),
        Change(PACKAGE, 'requires="gansdk-plugin-exemplar', 'requires="gansdk-plugin-other'),
    ],
    "dependencies-fit": [
        Change("METADATA", "torch>=2.4", "torch==2.4.1"),
        Change("METADATA", 'torchvision>=0.19; extra == "demo"', "torchvision>=0.19"),
    ],
    "network-options-are-closed": [
        Change(OPTIONS, "class NetworkOptions(gansdk.Options)", 'class NetworkOptions(gansdk.Options, extra="ignore")'),
    ],
    "loads-strictly": [
        Change(
            NETWORK,
            '    return {"generator": Network(options.width)}',
            "    network = Network(options.width)\n"
            "    network.register_load_state_dict_post_hook(lambda one, _: nn.init.zeros_(one.tail.bias))\n"
            '    return {"generator": network}',
        ),
        Change(str(MODEL / "older.pth"), "", "weights of before"),
        Change(str(MODEL / "config.json"), '"width": 16', '"width": 8'),
    ],
    "config-round-trip": [
        Change(
            OPTIONS,
            "NetworkOptions(gansdk.Options):\n    width: Annotated[int, Field(ge=1)] = 16",
            "NetworkOptions(gansdk.Options):\n    width: int = Field(16, exclude=True)",
        ),
    ],
    "provenance-stated": [
        Change(NETWORK, '        licence="CC0-1.0",\n    )', "    )"),
        Change(NETWORK, 'licence="CC0-1.0", items', 'licence="unstated", items'),
    ],
    "eval-mode": [
        Change(NETWORK, "features = features +", "features = F.dropout(features, 0.1) +"),
        Change(
            NETWORK,
            "    def forward(self, image):",
            "    def eval(self):\n        return self\n\n    def forward(self, image):",
        ),
    ],
    "same-call-same-bytes": [
        Change(
            NETWORK,
            'return self._network(source["image"])',
            "self.calls = getattr(self, 'calls', 0) + 1\n"
            '        return (self._network(source["image"]) + 0.001 * self.calls)',
        ),
    ],
    "output-shape": [
        Change(NETWORK, "output=gansdk.ImageOutput(scale=2)", "output=gansdk.ImageOutput(scale=3)"),
        Change(NETWORK, "output=gansdk.ImageOutput(scale=2)", "output=gansdk.ImageOutput(scale=2, channels=1)"),
    ],
    "any-size": [
        Change(
            NETWORK, "nn.Conv2d(3, width, 3, padding=1)", 'nn.Conv2d(3, width, 3, padding=1, padding_mode="reflect")'
        ),
    ],
    "output-range": [
        Change(NETWORK, ".clamp(0, 1)", ""),
    ],
    "batch-of-n": [
        Change(NETWORK, "features = features +", "features = features + 0.1 * features.mean(0, keepdim=True) +"),
    ],
    "receptive-field": [
        Change(
            NETWORK,
            "self.inner = nn.Conv2d(width, width, 3, padding=1)",
            "self.inner = nn.Conv2d(width, width, 5, padding=2)",
        ),
        Change(NETWORK, "features = features +", "features = features + features.mean((2, 3), keepdim=True) +"),
        Change(NETWORK, "receptive_field=3", "receptive_field=30"),
    ],
    "tiled-equals-whole": [
        Change(NETWORK, "+ 0.05 * details", "+ 0.05 * details + 0.01 * torch.linspace(0, 1, details.shape[-1])"),
        Change(
            NETWORK,
            "        return F.interpolate",
            "        ramp = torch.linspace(1, 2, details.shape[-1])\n"
            "        details = details * ramp / ramp\n"
            "        return F.interpolate",
        ),
    ],
    "safe-precisions": [
        Change(
            NETWORK,
            "self.inner(features)",
            "self.inner(features + 100) - self.inner.weight.sum((1, 2, 3))[:, None, None] * 100",
        ),
    ],
    "recipe-options": [
        Change(OPTIONS, "class RecipeOptions(gansdk.Options)", 'class RecipeOptions(gansdk.Options, extra="ignore")'),
        Change(OPTIONS, "batch: Annotated[int, Field(ge=1)] = 16", "batch: int = Field(16, exclude=True)"),
    ],
    "parameters-have-one-player": [
        Change(
            RECIPE,
            'Player("discriminator", self.critic,',
            'Player("discriminator", [self.critic, self.networks["generator"]],',
        ),
        Change(
            RECIPE,
            "self.perceptual(fake) - self.perceptual(high)",
            "self.perceptual(self.colours(fake)) - self.perceptual(high)",
        ),
    ],
    "moves-in-turns-only": [
        Change(
            RECIPE,
            "        with train.turn(self.discriminator) as turn:\n            fake = self.restore(low).detach()\n",
            "        fake = self.restore(low).detach()\n        with train.turn(self.discriminator) as turn:\n",
        ),
        Change(
            RECIPE,
            "        with train.turn(self.generator) as turn:\n",
            "        self.critic[0].bias.data.clamp_(0, 1)\n        with train.turn(self.generator) as turn:\n",
        ),
    ],
    "fixed-networks-stay": [
        Change(RECIPE, "            distance =", "            self.perceptual.train()\n            distance ="),
        Change(
            RECIPE,
            "            distance =",
            "            self.perceptual[0].bias.data += 1e-3\n            distance =",
        ),
    ],
    "step-replays": [
        Change(RECIPE, "noise = torch.rand_like(low)", "noise = torch.from_numpy(np.random.rand(*low.shape)).float()"),
    ],
    "routes-are-real": [
        Change(RECIPE, '"adversarial": {"generator"}', '"adversarial": {"generator", "discriminator"}'),
        Change(
            RECIPE,
            "softplus(fake_logit).mean(),",
            "softplus(fake_logit).mean() - options.adversarial * fake_logit.mean(),",
        ),
        Change(RECIPE, "logit = self.critic(fake)", "logit = self.critic(fake.detach())"),
        Change(RECIPE, '"content": {"generator"}', '"contents": {"generator"}'),
    ],
    "terms-have-weights": [
        Change(RECIPE, '"real": options.discrimination * ', '"real": '),
    ],
    "ablated-terms-exist": [
        Change(PACKAGE, '"adversarial"', '"adversary"'),
        Change(PACKAGE, '(("generator", "adversarial"),)', '(("generator", "adversarial"), ("generator", "content"))'),
    ],
    "signs-are-right": [
        Change(RECIPE, "softplus(-logit)", "softplus(logit)"),
        Change(RECIPE, '"adversarial": options.adversarial', '"adversarial": -options.adversarial'),
        Change(RECIPE, "softplus(-real_logit)", "softplus(real_logit)"),
        Change(RECIPE, "self.critic(high), self.critic(fake)", "self.critic(fake), self.critic(high)"),
        Change(RECIPE, '                logits={"fake": logit},\n', ""),
    ],
    "resume-is-exact": [
        Change(
            RECIPE,
            "random = np.random.default_rng((self._seed, index))",
            "random = self.__dict__.setdefault('random', np.random.default_rng(self._seed))",
        ),
        Change(
            RECIPE,
            "distance = (self.perceptual(fake) - self.perceptual(high))",
            "self.steps = getattr(self, 'steps', 0) + 1\n"
            "            distance = self.steps * (self.perceptual(fake) - self.perceptual(high))",
        ),
    ],
}
"""By the check that catches them."""

SKETCH = "sketch.py"

BROKEN_SKETCHES = {
    "eval-mode": [
        Change(SKETCH, "self._network(latent)", "self._network(torch.nn.functional.dropout(latent, 0.1))"),
        Change(SKETCH, "said = ", "data = data + 1e-3 * data.new_empty(data.shape).normal_()\n        said = "),
        Change(SKETCH, 'source["style"]]', 'source["mood"]]'),
    ],
    "same-call-same-bytes": [
        Change(
            SKETCH,
            "latent = ",
            "self.calls = getattr(self, 'calls', 0.0) + 1e-3\n        latent = self.calls + ",
        ),
        Change(
            SKETCH,
            "said = ",
            "self.seen = max(getattr(self, 'seen', 0), float(data.max()))\n        said = self.seen * ",
        ),
    ],
    "output-shape": [
        Change(SKETCH, "reshape(-1, 1, 10, 8)", "reshape(-1, 1, 8, 10)"),
        Change(SKETCH, "reshape(-1, 1, 10, 8)", "reshape(-1, 1, 10, 8).expand(-1, 3, -1, -1)"),
        Change(SKETCH, "reshape(-1, 1, 10, 8)", "reshape(-1, 1, 10, 8).mul(255).byte()"),
    ],
    "output-range": [
        Change(SKETCH, ".sigmoid()", ".tanh()"),
        Change(SKETCH, ".sigmoid()", ".sqrt().tanh()"),
        Change(SKETCH, ".sigmoid()", ".div(8).add(0.5)"),
    ],
    "batch-of-n": [
        Change(SKETCH, "self._network(latent)", "self._network(latent + 0.1 * latent.mean(0))"),
        Change(SKETCH, ".sigmoid()", ".sub(0.5).sigmoid().div(len(latent)).clamp(0, 1)"),
        Change(SKETCH, "said = ", "data = data - data.mean(0)\n        said = "),
        Change(
            SKETCH,
            '"recogniser": nn.Linear(80, 10)',
            '"recogniser": nn.Sequential(nn.Linear(80, 10), nn.BatchNorm1d(10, track_running_stats=False))',
        ),
    ],
    "categories-as-weights": [
        Change(SKETCH, "float() if chosen.dim() == 1 else chosen", "float()"),
        Change(SKETCH, "float() if chosen.dim() == 1 else chosen", "float() if chosen.dim() == 1 else chosen.flip(1)"),
    ],
    "variables-reach-the-image": [
        Change(SKETCH, 'weights, source["style"]]', '0 * weights, source["style"]]'),
        Change(SKETCH, 'weights, source["style"]]', 'weights.clamp(max=torch.tensor([1, 0, 0])), source["style"]]'),
        Change(SKETCH, 'source["style"]]', 'source["style"][:, [0, 0]]]'),
        Change(SKETCH, '[source["noise"],', '[torch.ones_like(source["noise"]),'),
    ],
    "encoded-variables": [
        Change(SKETCH, ".softmax(1)", ""),
        Change(SKETCH, ".softmax(1)", ".sigmoid()"),
        Change(SKETCH, ".tanh()", ".abs().neg().sqrt()"),
        Change(SKETCH, "said[:, 3:5].tanh()", "said[:, 3:6].tanh()"),
        Change(SKETCH, "said[:, 3:5].tanh()", "said[:, 3:5].round().int()"),
        Change(SKETCH, ', "features": said[:, 5:]', ""),
        Change(SKETCH, '"features": said', '"more": said[:, :1], "features": said'),
    ],
}
"""What exemplars cannot break, which start from an image and have no encoder."""


APPRAISER = "appraiser.py"

BROKEN_APPRAISERS = {
    "eval-mode": [
        Change(APPRAISER, "pixels = data.flatten(1)", "pixels = torch.nn.functional.dropout(data.flatten(1), 0.1)"),
        Change(APPRAISER, "flat = data.flatten(1)", "flat = torch.nn.functional.dropout(data.flatten(1), 0.1)"),
    ],
    "same-call-same-bytes": [
        Change(
            APPRAISER,
            "pixels = ",
            "self.calls = getattr(self, 'calls', 0.0) + 1e-3\n        pixels = self.calls + ",
        ),
        Change(
            APPRAISER,
            "flat = ",
            "self.calls = getattr(self, 'calls', 0.0) + 1e-3\n        flat = self.calls + ",
        ),
    ],
    "batch-of-n": [
        Change(APPRAISER, "pixels = data.flatten(1)", "pixels = data.flatten(1) - data.flatten(1).mean(0)"),
        Change(APPRAISER, "flat = data.flatten(1)", "flat = data.flatten(1) - data.flatten(1).mean(0)"),
    ],
    "verdicts-and-logits": [
        Change(APPRAISER, '"critic": nn.Linear(83, 2)', '"critic": nn.Linear(83, 1)'),
        Change(APPRAISER, '"reader": nn.Linear(80, 3)', '"reader": nn.Linear(80, 4)'),
        Change(APPRAISER, "return self._network(flat)", "return self._network(flat).argmax(1, True).expand(-1, 3)"),
        Change(APPRAISER, "return self._network(flat)", "return self._network(flat / flat.sum(1, keepdim=True))"),
    ],
}
"""A model with a discriminator and a classifier, and one fault."""

TASKS = "tasks.py"

BROKEN_TASKS = {
    "plugin-works": [  # a task whose media or fits do not exist is not registered
        Change(PACKAGE, '"photo"),),\n    outputs={"image": "image"}', '"photo"),),\n    outputs={"image": "imgae"}'),
        Change(PACKAGE, '"photo"),),\n    outputs={"image"', '"photo", fits="discriminater"),),\n    outputs={"image"'),
        Change(PACKAGE, '("image", "photo"),),\n    outputs={"rec', '("photo", "photo"),),\n    outputs={"rec'),
        Change(PACKAGE, '("image", "photo"),),\n    outputs={"rec', '("os:path", "photo"),),\n    outputs={"rec'),
    ],
    "import-strings-resolve": [
        Change(PACKAGE, ".tasks:describe_many", ".tasks:describe_all"),
        Change(PACKAGE, ".tasks:darken", ".tasks:np"),
    ],
    "options-import-light": [
        Change("task_options.py", "import gansdk\n", "import gansdk\nimport torch\n"),
    ],
    "unsupported-reason-is-total": [
        Change(PACKAGE, "if not isinstance(facts.generator, gansdk.ImageGeneratorFacts):", "if not facts.generator:"),
        Change(
            PACKAGE, "facts.generator.source.channels == 1 else None", "facts.generator.source.channels == 1 else ''"
        ),
        Change(PACKAGE, '"it takes grey images only"', '"it takes grey images only;\\nthose are rare"'),
    ],
    "outputs-as-declared": [
        Change(TASKS, "return photo.replace(pixels=pixels)", "return pixels"),
        Change(TASKS, '{"brightness": float(image.mean())} for', "float(image.mean()) for"),
    ],
    "task-gives-same-bytes": [
        Change(TASKS, "default_rng(options.seed)", "default_rng()"),
        Change(
            TASKS,
            "    noise = ",
            "    options.__dict__['seed'] = darken.__dict__.setdefault('calls', 0)\n"
            "    darken.calls += 1\n    noise = ",
        ),
    ],
    "many-equal-one": [
        Change(TASKS, "for image in made]", "for image in made - made.mean(0)]"),
        Change(TASKS, "for image in made]", "for image in made[:2]]"),
    ],
}
"""Each is a task with one fault."""


def cases(broken):
    return [
        pytest.param(id_, change, id=f"{id_}-{n}")
        for id_, changes in broken.items()
        for n, change in enumerate(changes)
    ]


def failed(results):
    return {result.check.id: result.message for result in results if result.outcome == "failed"}


def test_every_check_has_something_that_it_catches():
    caught = BROKEN.keys() | BROKEN_SKETCHES.keys() | BROKEN_APPRAISERS.keys() | BROKEN_TASKS.keys()
    assert caught == {check.id for check in all_checks()}


@pytest.mark.parametrize(("id_", "change"), cases(BROKEN))
def test_one_change_is_blamed_by_one_check(kit_of, id_, change):
    assert failed(kit_of(change)).keys() == {id_}


@pytest.mark.parametrize(("id_", "change"), cases(BROKEN_SKETCHES))
def test_one_change_to_a_model_with_a_latent_and_an_encoder_is_blamed_by_one_check(tmp_path, id_, change):
    assert failed(sketches.kit(tmp_path / "model", change)).keys() == {id_}


@pytest.mark.parametrize(("id_", "change"), cases(BROKEN_APPRAISERS))
def test_one_change_to_a_discriminator_or_classifier_is_blamed_by_one_check(tmp_path, id_, change):
    assert failed(sketches.kit(tmp_path / "model", change, name="appraiser")).keys() == {id_}


def test_a_model_with_a_discriminator_and_a_classifier_passes(tmp_path):
    results = list(sketches.kit(tmp_path / "model", name="appraiser"))
    assert failed(results) == {}
    assert "verdicts-and-logits" in {result.check.id for result in results if result.outcome == "passed"}


@pytest.mark.parametrize(("id_", "change"), cases(BROKEN_TASKS))
def test_one_change_to_a_task_is_blamed_by_one_check(kit_of, id_, change):
    kit = kit_of(change)
    results = [kit.run(*pair) for pair in kit.pairs() if pair[0].kind in {"plugin", "task"}]
    assert failed(results).keys() == {id_}


def test_the_core_s_own_tasks_pass_every_check():
    results = list(Kit([TaskUnderTest(task) for task in core_only().tasks.values()]))
    assert failed(results) == {}
    skipped = {result.message for result in results if result.outcome == "skipped"}
    assert skipped == {"it computes one item at a time"}


def test_the_message_says_which_import_is_heavy_and_where(kit_of):
    kit = kit_of(Change(PACKAGE, "import gansdk\n", "import gansdk\nfrom . import model\n"))
    message = next(kit.run(*pair).message for pair in kit.pairs() if pair[0].id == "imports-light")
    assert re.fullmatch(r"listing it imports torch \(\S+/exemplar_\d+/model.py, line 3\)", message)

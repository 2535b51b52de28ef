"""The readers of what strangers send, each with whole inputs that are made here."""

from __future__ import annotations

import io
import json
import shutil
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hostile
import numpy as np
import sample_images
import torch
from PIL import Image as PILImage

import gansdk
from fuzz.mutation import mutated, strange_json, strange_zip, zipped
from gansdk.cards.card import gather
from gansdk.cards.rendering import authors_part, render
from gansdk.data.folders import open_images
from gansdk.evaluation.record import Estimate, Evaluation, Measurement, read_evaluation_file
from gansdk.files import sha256
from gansdk.importing.weights import import_weights
from gansdk.jobs.plan import Item
from gansdk.jobs.reports import NAME, Making, open_report
from gansdk.media.reading import read_image
from gansdk.media.records import read_arrays, write_arrays
from gansdk.model.config import (
    ATTRIBUTIONS,
    CONFIG,
    EVALUATION,
    README,
    WEIGHTS,
    Trained,
    read_attributions,
    read_config,
)
from gansdk.model.tensors import read_header
from gansdk.models.catalog import Catalog, ResolvedModel
from gansdk.models.loading import load_model
from gansdk.models.pipelines import Pipeline
from gansdk.models.writing import Export, write_model
from gansdk.options import ImageReading, LoadOptions
from gansdk.plugins.registry import discover
from gansdk.settings import Settings
from gansdk.training.checkpoints import _read_numbers
from gansdk.training.runs import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random

    from gansdk.plugins.declarations import Task


class Target:
    """A reader. ``whole`` are inputs that it takes, ``declared`` the bytes that it may take besides."""

    declared = 0
    whole: list[bytes]

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self, random: Random) -> bytes:
        """One input, broken."""
        return mutated(random.choice(self.whole), random)

    def read(self, content: bytes) -> Any:
        """What the reader makes of it, as JSON can hold it."""
        raise NotImplementedError


def small_models(folder: Path) -> Iterable[Path]:
    """One model that makes images larger, one with codes and an encoder."""
    methods = discover().methods
    networks = {
        "srgan": {
            "channels": 3,
            "scale": 2,
            "features": 4,
            "blocks": 1,
            "up_features": 4,
            "head_kernel": 3,
            "tail_kernel": 3,
        },
        "infogan": {"noise": 4, "height": 8, "width": 8, "hidden": 4, "features": 2, "code_hidden": 4},
    }
    for name, network in networks.items():
        method = methods[name]
        shipped = next(one for one in discover().models.values() if one.method.name == name)
        config = read_config(shipped.folder)
        options = {**config.network, **network} if name == "infogan" else network
        facts = config.facts.model_dump(mode="json")
        if name == "srgan":
            facts["generator"]["output"]["scale"] = 2
        else:
            small_sizes(facts)
        from gansdk.models.loading import build_networks

        export = Export(gansdk.Facts.model_validate(facts), options, build_networks(method, options))
        trained = Trained(recipe="a:b", config="small", options={"steps": 7}, seed=3, steps=70, versions={"torch": "2"})
        write_model(folder / name, method, export, trained=trained, summary="small", licence="MIT", evaluation=MEASURED)
        yield folder / name


def small_sizes(facts: dict[str, Any]) -> None:
    """Facts of InfoGAN's for networks of 8×8 pixels, 4 numbers of noise and 4 features."""
    for sizes in (facts["generator"]["output"], facts["encoder"]["data"]):
        sizes.update(height=8, width=8)
    for variable in (*facts["generator"]["source"]["variables"], *facts["encoder"]["variables"]):
        if variable["kind"] in ("noise", "features"):
            variable["n"] = 4


MEASURED = Evaluation(
    measurements=(
        Measurement(
            metric="psnr-y",
            data="Set5",
            protocol={"kernel": "bicubic", "versions": {"torch": "2"}, "evaluator": "nobody"},
            value=30.5,
            interval=(30.0, 31.0),
            values={"a": 30.0, "b": 31.0},
            unit="dB",
            baseline=Estimate(value=29.0),
            difference=Estimate(value=1.5, interval=(1.0, 2.0)),
            references={"bicubic": 28.0},
        ),
        Measurement(metric="clustering-accuracy", data="mnist:test", protocol={}, value=0.9),
    ),
    baseline="without its own terms",
)


class Models(Target):
    """Shared by readers of model folders: breaks one file, makes the digests right, and does all that can be done."""

    name = CONFIG

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._models = list(small_models(folder))
        self._catalog = Catalog(discover(), Settings(folder / "settings.json"))
        self._broken = folder / "broken"
        self.whole = [self._numbered(at) for at in range(len(self._models))]

    def _numbered(self, at: int) -> bytes:
        return bytes([at]) + (self._models[at] / self.name).read_bytes()

    def _placed(self, content: bytes) -> Path:
        shutil.rmtree(self._broken, ignore_errors=True)
        shutil.copytree(self._models[content[0]], self._broken)
        (self._broken / self.name).write_bytes(content[1:])
        if self.name != CONFIG:
            config = json.loads((self._broken / CONFIG).read_text())
            config["files"] = {name: sha256(self._broken / name) for name in config["files"]}
            (self._broken / CONFIG).write_text(json.dumps(config))
        return self._broken

    def _used(self, folder: Path) -> Any:
        resolved = self._catalog.locate(folder)
        (folder / README).unlink(missing_ok=True)
        card = gather(self._catalog, resolved)
        text = render(card)
        assert render(card, text).rstrip() == text.rstrip(), "the card cannot be renewed as it was"
        assert resolved.config == read_config(folder)
        networks = load_model(resolved, None).networks
        results = [self._called(resolved, task) for task in card.tasks]
        return [resolved.config.model_dump(mode="json"), len(text), sorted(networks), results]

    def _called(self, resolved: ResolvedModel, task: Task) -> str:
        pipeline = Pipeline(task, resolved, LoadOptions())
        inputs = [np.zeros((16, 16, 3), np.uint8) for _ in task.slots]
        given = {"n": 2} if task.name == "generate" else {}
        try:
            return type(pipeline(*inputs, **given)).__name__
        except gansdk.GansdkError as error:
            return str(error)


class Config(Models):
    def make(self, random: Random) -> bytes:
        content = random.choice(self.whole)
        return content[:1] + strange_json(content[1:], random)

    def read(self, content: bytes) -> Any:
        return self._used(self._placed(content))


class Header(Models):
    """The header of a safetensors file."""

    name = WEIGHTS

    def make(self, random: Random) -> bytes:
        content = random.choice(self.whole)
        if random.randrange(4) == 0:
            return content[:1] + mutated(content[1:600], random) + content[600:]
        (length,) = struct.unpack("<Q", content[1:9])
        header = strange_json(content[9 : 9 + length], random)
        return content[:1] + struct.pack("<Q", len(header)) + header + content[9 + length :]

    def read(self, content: bytes) -> Any:
        folder = self._placed(content)
        return [len(read_header(folder / WEIGHTS)[0]), self._used(folder)]


class FrontMatter(Models):
    """A card that an author wrote in."""

    name = README

    WORDS = tuple(
        word.encode()
        for word in (
            "---\n",
            "\n---\n",
            "\n- ",
            ": ",
            "\n  ",
            "&a ",
            "*a ",
            "<<: *a\n",
            "!!binary ",
            "!!set ",
            "!!python/object:os.system ",
            "2020-99-99",
            "1:1:1:1",
            "0x" + "f" * 5000,
            ".inf",
            "[" * 1000,
            "{" * 200,
            "? ",
            "\ufeff",
            '"\\uD800"',
            "tags: {a: b}\n",
            "eval_results: 3\nmodel_name: 4\n",
            "self: 1\nlanguage: [1, {a: b}]\n",
            "1: x\nnull: y\nyes: z\n",
            "<!-- gansdk:begin figures -->\n",
            "<!-- gansdk:end figures -->\n",
            "<!-- gansdk:here -->\n",
            "\r\n",
        )
    )

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        for path in small_models(folder):
            (path / README).write_text("---\n---\n")
        super().__init__(folder)
        self._cards = [gather(self._catalog, self._catalog.locate(path)) for path in self._models]
        mine = (
            "---\nlanguage: en\ntags:\n- photo\n- mine\nwidget:\n- src: a.jpg\nbase_model: a/b\ndate: 2024-01-01\n---\n"
        )
        self.whole = [
            b"\0" + (mine + "My words.\n\n" + render(one).partition("---\n\n")[2]).encode() for one in self._cards
        ]
        self.whole += [b"\1" + (mine + "<!-- gansdk:here -->\n").encode()]

    def make(self, random: Random) -> bytes:
        content = random.choice(self.whole)
        cut = content.index(b"---\n", 5) + 4 if random.randrange(3) else len(content)
        return content[:1] + mutated(content[1:cut], random, self.WORDS) + content[cut:]

    def read(self, content: bytes) -> Any:
        path = self.folder / "CARD.md"
        path.write_bytes(content[1:])
        from gansdk.cards.rendering import read_card

        card, before = self._cards[content[0]], read_card(path)
        text = render(card, before)
        text.encode()
        assert render(card, text).rstrip() == text.rstrip(), "the card cannot be renewed as it was"
        _, fields = authors_part(card, text)
        return [len(text), sorted(fields)]


class Report(Target):
    """The report of a folder run, which the next run continues."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "out").mkdir()
        self._making = Making(folder / "in", folder / "out", ("0", "1", "2"), "model, 1.0", "task")
        line = {
            "input": "a.jpg",
            "output": "a.png",
            "bytes": 5,
            "seconds": 1.5,
            "by": "model, 1.0",
            "making": "sha256:0",
            "folder": str(folder / "in"),
            "stamp": [10, 20],
        }
        (folder / "out" / "a.png").write_bytes(b"whole")
        record = {"input": "b.jpg", "record": {"class": {"label": "six"}}, "stamp": [10, 20], "making": "sha256:0"}
        self.whole = [b"".join(json.dumps(one).encode() + b"\n" for one in (line, record))]

    def make(self, random: Random) -> bytes:
        first, second, _ = self.whole[0].split(b"\n")
        if random.randrange(3) == 0:
            return mutated(self.whole[0], random)
        return strange_json(first, random) + b"\n" + strange_json(second, random) + b"\n"

    def read(self, content: bytes) -> Any:
        (self.folder / "out" / NAME).write_bytes(content)
        items = [
            Item(("in/a.jpg",), self.folder / "out" / "a.png", label="a.jpg"),
            Item(("in/b.jpg",), None, label="b.jpg"),
        ]
        with open_report(self._making) as report:
            states = [report.state(item, (10, 20))[0] for item in items]
            return [states, [report.record(item) for item in items]]


class Records(Target):
    """All other JSON files that are read: one byte says which."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        run = {
            "gansdk": 1,
            "method": "srgan",
            "requires": "gansdk-plugin-srgan",
            "config": "small",
            "options": {"steps": 7},
            "data": {"photos": {"path": "/x", "data": {"name": "x", "licence": "MIT", "items": 2}}},
            "seed": 1,
            "device": "cpu",
            "precision": "fp32",
        }
        state = {
            "gansdk": 1,
            "step": 7,
            "seconds": 1.5,
            "numbers": {"optimiser/a/0/step": 7},
            "averages": {"a/loss": [1.0, 2]},
            "files": {"tensors.safetensors": "sha256:0"},
        }
        works = {"data": {"x": [{"item": "a", "licence": "MIT", "author": "Jo"}]}}
        settings = {"gansdk": 1, "aliases": {"best": "builtin:srgan-x4"}, "defaults": {"superres": "best"}}
        readers: tuple[tuple[str, Any, Callable[[Path], Any]], ...] = (
            (EVALUATION, MEASURED.model_dump(mode="json"), lambda path: read_evaluation_file(path).to_json()),
            (ATTRIBUTIONS, works, lambda path: read_attributions(path.parent).to_json()),
            ("settings.json", settings, lambda path: [Settings(path).aliases(), Settings(path).defaults()]),
            ("train.json", run, lambda path: RunFolder(path.parent).read().model_dump_json()),
            ("state.json", state, lambda path: _read_numbers(path).model_dump_json()),
        )
        self._readers = [(name, read) for name, _, read in readers]
        self.whole = [bytes([at]) + json.dumps(value).encode() for at, (_, value, _) in enumerate(readers)]

    def make(self, random: Random) -> bytes:
        content = random.choice(self.whole)
        return content[:1] + strange_json(content[1:], random)

    def read(self, content: bytes) -> Any:
        name, read = self._readers[content[0]]
        (self.folder / name).write_bytes(content[1:])
        return read(self.folder / name)


class Arrays(Target):
    """Named arrays, as ``--latents`` takes them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        file = io.BytesIO()
        arrays = {"noise": np.zeros((4, 8), np.float32), "class": np.arange(4), "generator": np.array("sha256:0")}
        write_arrays(arrays, file)
        other = io.BytesIO()
        np.savez(other, **arrays)
        self.whole = [file.getvalue(), other.getvalue()]

    def make(self, random: Random) -> bytes:
        def inside(content: bytes, random: Random) -> bytes:
            words = (b"'|O'", b"'<U999999999'", b"'<V0'", b"(-1,)", b"(9223372036854775807, 9)", b"(" * 50, b"True")
            return mutated(content[:130], random, words) + content[130:]

        return strange_zip(random.choice(self.whole), random, inside)

    def read(self, content: bytes) -> Any:
        path = self.folder / "a.npz"
        path.write_bytes(content)
        return {name: list(array.shape) for name, array in read_arrays(path).items()}


def images() -> dict[str, bytes]:
    """Small images of all kinds that Pillow writes, 8 and 16 bits, with metadata and several frames."""
    found: dict[str, bytes] = {}
    image = PILImage.fromarray(np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8))
    options: dict[str, tuple[str, dict[str, Any]]] = {
        "png": ("PNG", {}),
        "jpg": ("JPEG", {"exif": sample_images.camera_exif()}),
        "progressive": ("JPEG", {"progressive": True}),
        "webp": ("WEBP", {}),
        "gif": ("GIF", {}),
        "bmp": ("BMP", {}),
        "ppm": ("PPM", {}),
        "avif": ("AVIF", {}),
        "tiff": ("TIFF", {}),
        "lzw": ("TIFF", {"compression": "tiff_lzw"}),
        "deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
        "jpeg-tiff": ("TIFF", {"compression": "jpeg"}),
        "pages": ("TIFF", {"save_all": True, "append_images": [image]}),
        "apng": ("PNG", {"save_all": True, "append_images": [image.rotate(180)]}),
        "frames": ("GIF", {"save_all": True, "append_images": [image.rotate(180)]}),
    }
    for name, (kind, given) in options.items():
        file = io.BytesIO()
        image.save(file, kind, **given)
        found[name] = file.getvalue()
    deep = np.random.default_rng(1).integers(0, 65535, (24, 32, 3), np.uint16)
    for name in ("deep.png", "deep.tiff"):
        file = io.BytesIO()
        gansdk.Image.from_array(deep).save(name, on_exists="overwrite")
        found[name] = Path(name).read_bytes()
    return found


class Media(Target):
    """Images of all kinds."""

    declared = 64_000_000 * 8
    """An image of as many pixels as a call takes has so many bytes where it is of 16 bits."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._images = images()
        self.whole = [content for name, content in self._images.items() if name not in {"pages", "apng", "frames"}]

    def make(self, random: Random) -> bytes:
        content = random.choice(list(self._images.values()))
        begin = random.choice((0, 0, len(content) // 2))
        return content[:begin] + mutated(content[begin:], random, (b"\xff\xda", b"\xff\xc2", b"IDAT", b"acTL"))

    def read(self, content: bytes) -> Any:
        notes: list[str] = []
        image = read_image(content, ImageReading(), notes.append)
        return [image.width, image.height, image.bits, notes]


class Zip(Target):
    """A data set in an archive."""

    declared = 2**28 * 4

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        found = images()
        licences = json.dumps({"images": {"a/0.png": {"licence": "MIT", "author": "Jo"}}}).encode()
        self.whole = [
            zipped([("LICENCES.json", licences), ("a/0.png", found["png"]), ("b/1.jpg", found["jpg"])]),
            zipped([("a/0.gif", found["gif"]), ("notes.txt", b"words")], packed=False),
        ]

    def make(self, random: Random) -> bytes:
        def inside(content: bytes, random: Random) -> bytes:
            return strange_json(content, random) if content[:1] == b"{" else mutated(content, random)

        return strange_zip(random.choice(self.whole), random, inside)

    def read(self, content: bytes) -> Any:
        path = self.folder / "set.zip"
        path.write_bytes(content)
        images = open_images(path)
        known = [images.name, images.names, images.others, images.licence, images.digest, images.classes]
        return [*known, [list(images[at][1].shape) for at in range(len(images))]]


class Weights(Target):
    """Weights that others published, as ``gansdk import`` takes them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        from gansdk_srgan.architectures import SRResNetOptions
        from gansdk_srgan.model import networks

        table = {
            "conv_first.weight": torch.zeros(4, 3, 3, 3),
            "conv_first.bias": torch.zeros(4),
            "body.0.conv1.weight": torch.zeros(4, 4, 3, 3),
            "upconv1.weight": torch.zeros(16, 4, 3, 3),
        }
        ours = networks(SRResNetOptions(features=4, blocks=1, up_features=4, scale=2))["generator"].state_dict()
        nested = {
            "epoch": 7,
            "params": table,
            "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}, "groups": [1, 2]},
        }
        self.whole = [hostile.saved(one, legacy=legacy) for one in (table, ours, nested) for legacy in (False, True)]

    WORDS = (
        b"cbuiltins\nbytearray\n",
        b"ccollections\nOrderedDict\n",
        b"ctorch._utils\n_rebuild_tensor_v2\n",
        b"ctorch\nTensor\n",
        b"\x8a\x08\0\0\0\0\0\0\0\x7f",
        b"\x85R",
        b")R",
        b"q\x01",
        b"h\x01" * 200,
        b"}X\x01\0\0\0ah\x02" * 100,
        b"]" * 50,
        b"(" * 50,
        b"Q",
        b"b",
    )

    def make(self, random: Random) -> bytes:
        content = random.choice(self.whole)
        if content[:2] != b"PK":
            return mutated(content[:4000], random, self.WORDS) + content[4000:]
        return strange_zip(content, random, lambda data, random: mutated(data, random, self.WORDS), packed=False)

    def read(self, content: bytes) -> Any:
        path = self.folder / "w.pth"
        path.write_bytes(content)
        from gansdk.importing.reading import read

        known = sorted(map(str, read(path)))
        if content in self.whole:
            return known
        imported = import_weights(path, self.folder / "imported", on_exists="overwrite", measure=False)
        return [known, imported.config.model_dump(mode="json")]


TARGETS: dict[str, type[Target]] = {
    "config": Config,
    "header": Header,
    "front-matter": FrontMatter,
    "report": Report,
    "records": Records,
    "npz": Arrays,
    "zip": Zip,
    "pth": Weights,
    "media": Media,
}

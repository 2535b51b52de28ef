import io
import json
import pickle
import signal
import struct
from functools import partial

import adversary
import numpy as np
import pytest
import torch
from adversary import METHOD, write_pictures
from PIL import Image
from safetensors.torch import load_file
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio

from gansdk import DataSplit, NamedDataset, array_digest
from gansdk.data.opening import find_data
from gansdk.errors import (
    DeviceError,
    InputError,
    MissingPluginError,
    OptionError,
    TrainingError,
    UnknownNameError,
    UsageError,
)
from gansdk.evaluation.record import read_evaluation
from gansdk.inference.loading import load_networks
from gansdk.inference.located import Located
from gansdk.model.attributions import Credit, read_attributions
from gansdk.model.config import check_folder, check_safetensors, read_config
from gansdk.plugins.discovery import discover
from gansdk.training import loop

METHODS = {"tiny": METHOD}
PACE = {"log_every": 2, "samples_every": 2, "checkpoint_every": 2}


@pytest.fixture
def photos(tmp_path):
    return str(write_pictures(tmp_path / "photos"))


def train(run, photos, **changes):
    method = changes.pop("method", METHOD)
    config = changes.pop("config", "small")
    given = {
        "data": {"photos": photos},
        "device": "cpu",
        "precision": "fp32",
    }
    return loop.train(method, config, run, **(given | PACE | changes))


def stop_at(step):
    def progress(at):
        if at.step == step:
            raise KeyboardInterrupt

    return progress


def state(run):
    (folder,) = (run / "state").iterdir()
    return load_file(folder / "tensors.safetensors"), json.loads((folder / "state.json").read_text())


def metrics(run):
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def assert_same_run(left, right):
    (tensors, numbers), (others, other_numbers) = state(left), state(right)
    assert tensors.keys() == others.keys()
    assert all(torch.equal(tensors[key], others[key]) for key in tensors)
    for field in ("step", "numbers", "averages"):
        assert numbers[field] == other_numbers[field]
    assert metrics(left) == metrics(right)
    model = "model/model.safetensors"
    assert (left / model).read_bytes() == (right / model).read_bytes()
    sheets = sorted(path.name for path in (left / "samples").iterdir())
    assert sheets == sorted(path.name for path in (right / "samples").iterdir())
    assert (left / "samples" / sheets[-1]).read_bytes() == (right / "samples" / sheets[-1]).read_bytes()


@pytest.mark.parametrize("at", [1, 2, 3])  # at a checkpoint, and in the middle of a line of the log
def test_n_steps_resume_and_n_more_are_2n_steps(tmp_path, photos, at):
    train(tmp_path / "whole", photos)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "halves", photos, progress=stop_at(at))
    torch.manual_seed(12345)
    assert state(tmp_path / "halves")[1]["step"] == at
    finished = loop.resume(tmp_path / "halves", methods=METHODS)
    assert finished.steps == 6
    assert_same_run(tmp_path / "whole", tmp_path / "halves")


def test_a_process_that_vanished_is_resumed_from_its_last_checkpoint(tmp_path, photos):
    train(tmp_path / "whole", photos)

    class VanishedError(Exception):
        pass

    def progress(at):
        if at.step == 5:
            raise VanishedError

    with pytest.raises(VanishedError):
        train(tmp_path / "halves", photos, progress=progress)
    assert state(tmp_path / "halves")[1]["step"] == 4
    with (tmp_path / "halves" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 5, "seconds": 1.0}\n{"step":')  # later than the checkpoint, and half a line
    loop.resume(tmp_path / "halves", methods=METHODS)
    assert_same_run(tmp_path / "whole", tmp_path / "halves")


def test_a_longer_run_is_the_run_that_was_asked_for_longer(tmp_path, photos):
    train(tmp_path / "long", photos)
    train(tmp_path / "short", photos, options={"steps": 4})
    finished = loop.resume(tmp_path / "short", methods=METHODS, steps=6)
    assert finished.steps == 6
    assert_same_run(tmp_path / "long", tmp_path / "short")
    assert json.loads((tmp_path / "short" / "train.json").read_text())["options"]["steps"] == 6
    with pytest.raises(UsageError, match="has taken 6 steps already"):
        loop.resume(tmp_path / "short", methods=METHODS, steps=5)


def test_what_is_written_between_steps_does_not_change_the_training(tmp_path, photos):
    train(tmp_path / "often", photos, log_every=1, samples_every=1, checkpoint_every=1)
    train(tmp_path / "seldom", photos, log_every=9, samples_every=0, checkpoint_every=9)
    often, seldom = state(tmp_path / "often")[0], state(tmp_path / "seldom")[0]
    assert all(torch.equal(often[key], seldom[key]) for key in often)
    assert not list((tmp_path / "seldom" / "samples").iterdir())


def test_the_seed_decides(tmp_path, photos):
    for name, seed in {"a": 0, "b": 0, "c": 1}.items():
        train(tmp_path / name, photos, seed=seed)
    a, b, c = (state(tmp_path / name)[0]["module/generator/0/0.weight"] for name in "abc")
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_ctrl_c_in_the_middle_of_a_step_saves_the_whole_step(tmp_path, photos):
    notes = []
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", photos, method=adversary.method("Interrupted"), note=notes.append)
    assert state(tmp_path / "run")[1]["step"] == 3
    assert notes == ["stopping after this step; what is done will be saved"]
    loop.resume(tmp_path / "run", methods=METHODS)
    train(tmp_path / "whole", photos)
    assert_same_run(tmp_path / "whole", tmp_path / "run")


def test_sigterm_saves_too_and_then_takes_its_usual_effect(tmp_path, photos):
    received = []
    before = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    try:
        method = adversary.method("Terminated")
        finished = train(tmp_path / "run", photos, method=method, tests={"held-out": photos})
    finally:
        signal.signal(signal.SIGTERM, before)
    assert received == [signal.SIGTERM]
    assert (finished.steps, finished.evaluation) == (3, None)
    assert state(tmp_path / "run")[1]["step"] == 3


def test_a_loss_that_explodes_leaves_the_last_whole_checkpoint(tmp_path, photos):
    run = tmp_path / "run"
    with pytest.raises(TrainingError, match=r"the term discriminator/real is nan at step 4"):
        train(run, photos, method=adversary.method("Exploding"), log_every=2, samples_every=0, checkpoint_every=3)
    assert state(run)[1]["step"] == 3
    check_folder(run / "model", read_config(run / "model"))


def test_a_fixed_network_that_changes_is_an_error(tmp_path, photos):
    with pytest.raises(TrainingError, match="calls fixed has changed"):
        train(tmp_path / "run", photos, method=adversary.method("Meddling"))


def test_the_model_holds_the_averaged_weights_and_how_they_came_to_be(tmp_path, photos):
    run = tmp_path / "run"
    train(run, photos, tests={"held-out": photos}, licence="CC0-1.0", summary="a test", seed=3)
    config = read_config(run / "model")
    tensors = state(run)[0]
    network = load_networks(Located.at(run / "model"), METHOD)["generator"].state_dict()
    for key in network:
        averaged = tensors.get(f"average/generator/generator.{key}")
        assert torch.equal(network[key], averaged if averaged is not None else tensors[f"module/generator/0/{key}"])
    assert not torch.equal(network["0.weight"], tensors["module/generator/0/0.weight"])
    assert (config.summary, config.licence, config.network) == ("a test", "CC0-1.0", {"width": 4})
    made = config.trained
    assert (made.recipe, made.config, made.seed, made.steps) == ("adversary:Recipe", "small", 3, 6)
    assert made.options == {"steps": 6, "width": 4, "gan": 0.1, "noise": 0.1}
    assert [(data.name, data.items) for data in made.data] == [("photos", 3)]


def test_the_evaluation_is_that_of_the_model_which_lies_there(tmp_path, photos):
    run, notes = tmp_path / "run", []
    held_out = write_pictures(tmp_path / "held-out", seed=5)
    finished = train(run, photos, tests={"held-out": str(held_out)}, note=notes.append)
    config = read_config(run / "model")
    network = load_networks(Located.at(run / "model"), METHOD)["generator"]
    expected = {}
    for path in held_out.glob("*.png"):
        with Image.open(path) as image:
            low = np.array(image.resize((4, 4), Image.Resampling.BICUBIC))
            high = np.array(image)
        with torch.no_grad():
            result = network(torch.from_numpy(low).permute(2, 0, 1)[None] / 255)[0].clamp(0, 1)
        pixels = (result * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
        planes = [rgb2ycbcr(one)[2:-2, 2:-2, 0] for one in (high, pixels)]
        expected[path.name] = peak_signal_noise_ratio(*planes, data_range=255)
    measured = finished.evaluation.measurements[0]
    assert measured.values == pytest.approx(expected, abs=0.05)
    assert (measured.metric, measured.data, measured.seen) == ("psnr-y", "held-out", False)
    assert read_evaluation(run / "model") == finished.evaluation
    check_folder(run / "model", config)
    assert any(note.startswith("told-apart: left out on held-out") for note in notes)


def test_a_test_set_that_is_trained_on_is_recorded_as_such(tmp_path, photos):
    finished = train(tmp_path / "run", photos, tests={"own": photos})
    assert all(measured.seen for measured in finished.evaluation.measurements)


def test_whose_pictures_it_was_trained_on_goes_into_the_model(tmp_path, photos):
    credit = {"licence": "CC-BY-4.0", "author": "Jo Doe", "source": "there"}
    (tmp_path / "photos" / "LICENCES.json").write_text(json.dumps({"pictures": {"1.png": credit}}))
    train(tmp_path / "run", photos)
    (known,) = read_attributions(tmp_path / "run" / "model").data["photos"]
    assert known == Credit(item="1.png", **credit)
    assert "attributions.json" in read_config(tmp_path / "run" / "model").files


def test_a_finished_run_is_not_measured_twice(tmp_path, photos):
    run = tmp_path / "run"
    finished = train(run, photos, tests={"held-out": photos})
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.name != ".lock"}
    notes = []
    again = loop.resume(run, methods=METHODS, note=notes.append)
    assert again.evaluation == finished.evaluation
    assert before == {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.name != ".lock"}
    assert "has taken all its 6 steps" in notes[0]


def test_there_is_a_model_before_the_first_step(tmp_path, photos):
    seen = []

    def look(at):
        if at.step == 1:
            seen.append(read_config(tmp_path / "run" / "model").trained.steps)

    train(tmp_path / "run", photos, progress=look)
    assert seen == [0]


def test_the_log_has_every_term_averaged_over_its_interval(tmp_path, photos):
    train(tmp_path / "each", photos, log_every=1, samples_every=0, checkpoint_every=500)
    train(tmp_path / "pairs", photos, log_every=4, samples_every=0, checkpoint_every=500)
    each, pairs = metrics(tmp_path / "each"), metrics(tmp_path / "pairs")
    terms = ["discriminator/real", "discriminator/fake", "generator/look", "generator/gan"]
    assert list(each[0]) == ["step", *terms]
    assert [line["step"] for line in each] == [1, 2, 3, 4, 5, 6]
    assert [line["step"] for line in pairs] == [4, 6]
    for term in terms:
        assert pairs[0][term] == pytest.approx(sum(line[term] for line in each[:4]) / 4)
        assert pairs[1][term] == pytest.approx(sum(line[term] for line in each[4:]) / 2)


def test_a_twin_is_the_run_whose_weight_is_zero(tmp_path, photos):
    train(tmp_path / "zero", photos, options={"gan": 0})
    notes = []
    train(tmp_path / "twin", photos, silenced={("generator", "gan")}, note=notes.append)
    zero, twin = state(tmp_path / "zero")[0], state(tmp_path / "twin")[0]
    assert all(torch.equal(zero[key], twin[key]) for key in zero)
    assert metrics(tmp_path / "twin")[-1]["generator/gan"] > 0
    assert json.loads((tmp_path / "twin" / "train.json").read_text())["silenced"] == [["generator", "gan"]]
    assert not notes


def test_a_term_to_silence_that_never_comes_is_pointed_out(tmp_path, photos):
    notes = []
    train(tmp_path / "run", photos, silenced={("generator", "gna")}, note=notes.append)
    assert notes[0] == "step 2: no such term to silence so far: generator/gna"


def test_sheets_show_progress_with_averaged_weights(tmp_path, photos):
    train(tmp_path / "run", photos)
    sheets = sorted((tmp_path / "run" / "samples").iterdir())
    assert [path.name for path in sheets] == ["000000002.png", "000000004.png", "000000006.png"]
    first, last = (np.asarray(Image.open(io.BytesIO(sheets[i].read_bytes()))) for i in (0, -1))
    assert first.shape == (8 + 4 + 8, 24, 3)
    assert (first[:, :16] == last[:, :16]).all()  # drawn from the seed each time, and the input
    assert not (first[:, 16:] == last[:, 16:]).all()


def test_threads_are_set_for_the_run_and_can_be_changed(tmp_path, photos):
    before, seen = torch.get_num_threads(), []
    try:
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "run", photos, threads=3, progress=stop_at(1))
        seen.append(torch.get_num_threads())
        torch.set_num_threads(before)
        with pytest.raises(KeyboardInterrupt):
            loop.resume(tmp_path / "run", methods=METHODS, progress=stop_at(2))
        seen.append(torch.get_num_threads())
        loop.resume(tmp_path / "run", methods=METHODS, threads=1)
        seen.append(torch.get_num_threads())
    finally:
        torch.set_num_threads(before)
    assert seen == [3, 3, 1]


def test_progress_says_how_far_and_how_long(tmp_path, photos):
    seen = []
    train(tmp_path / "run", photos, progress=seen.append)
    assert [(at.step, at.steps) for at in seen] == [(step, 6) for step in range(1, 7)]
    assert all(at.rate > 0 and at.left == pytest.approx((at.steps - at.step) / at.rate) for at in seen)


def test_a_run_folder_holds_no_pickle_under_any_name(tmp_path, photos):
    run = tmp_path / "run"
    train(run, photos, tests={"held-out": photos})
    files = [path for path in run.rglob("*") if path.is_file() and path.stat().st_size]
    assert len(files) >= 9
    for path in files:
        content = path.read_bytes()
        if content.startswith(b"\x89PNG"):
            continue
        if content[:1] == b"{":
            for line in [content] if path.suffix == ".json" else content.splitlines():
                json.loads(line)
            continue
        check_safetensors(path)
        assert struct.unpack("<Q", content[:8])[0] < len(content)
        with pytest.raises((pickle.UnpicklingError, EOFError, ValueError, KeyError, IndexError, AttributeError)):
            pickle.loads(content)


def test_bf16_trains_and_resumes_exactly_too(tmp_path, photos):
    train(tmp_path / "whole", photos, precision="bf16")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "halves", photos, precision="bf16", progress=stop_at(3))
    loop.resume(tmp_path / "halves", methods=METHODS)
    assert_same_run(tmp_path / "whole", tmp_path / "halves")
    assert json.loads((tmp_path / "whole" / "train.json").read_text())["precision"] == "bf16"


def test_data_without_a_name_is_the_recipes_first(tmp_path, photos):
    train(tmp_path / "run", photos, data={"": photos})
    assert list(json.loads((tmp_path / "run" / "train.json").read_text())["data"]) == ["photos"]


def test_a_run_goes_on_from_another_working_folder(tmp_path, photos, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        train("run", "photos", progress=stop_at(2))
    monkeypatch.chdir("/")
    assert loop.resume(tmp_path / "run", methods=METHODS).steps == 6


WRONG = {
    "config": ({"config": "smal"}, UnknownNameError, r"no config of tiny 'smal'; did you mean small\?"),
    "option": ({"options": {"stpes": 3}}, UnknownNameError, r"no option 'stpes'; did you mean steps\?"),
    "value": ({"options": {"steps": 0}}, OptionError, "steps '0' is not one of 1.."),
    "no data": ({"data": {}}, UsageError, "needs a data set 'photos'; add --data photos=FOLDER"),
    "other data": ({"data": {"photo": "x"}}, UnknownNameError, r"no data set 'photo'; did you mean photos\?"),
    "twice": ({"data": {"": "x", "photos": "x"}}, UsageError, "data set 'photos' is given twice"),
    "absent": ({"data": {"": "absent"}}, InputError, "no folder, zip archive or data set 'absent'"),
    "absent tests": ({"tests": {"t": "absent"}}, InputError, "no folder, zip archive or data set 'absent'"),
    "device": ({"device": "cuda:7"}, DeviceError, "no device 'cuda:7' here"),
    "fp16": ({"precision": "fp16"}, OptionError, "precision 'fp16' is not one of auto.fp32.bf16"),
    "keyword": ({"sed": 1}, UnknownNameError, "option 'sed'; did you mean seed"),
    "precision": ({"precision": "fp8"}, OptionError, "precision 'fp8' is not one of"),
    "endless": ({"method": adversary.method(options="EndlessOptions")}, TrainingError, "has no option 'steps'"),
    "player": ({"silenced": {("generatr", "gan")}}, TrainingError, "no player 'generatr'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_one_line_and_leaves_no_folder(tmp_path, photos, case):
    changes, kind, message = WRONG[case]
    with pytest.raises(kind, match=message) as caught:
        train(tmp_path / "run", photos, **changes)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_empty_data_leaves_no_folder(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no pictures"):
        train(tmp_path / "run", str(tmp_path / "empty"))
    assert not (tmp_path / "run").exists()


def test_a_used_folder_is_refused_and_left_as_it_was(tmp_path, photos):
    train(tmp_path / "run", photos)
    before = (tmp_path / "run" / "train.json").read_bytes()
    with pytest.raises(TrainingError, match="`gansdk resume"):
        train(tmp_path / "run", photos, seed=1)
    assert (tmp_path / "run" / "train.json").read_bytes() == before


def test_resuming_needs_the_runs_own_method(tmp_path, photos):
    train(tmp_path / "run", photos)
    with pytest.raises(
        MissingPluginError, match=r"'tiny', which is not installed; pip install 'gansdk-plugin-tiny>=0\.1'"
    ):
        loop.resume(tmp_path / "run", methods={})


def test_resuming_needs_the_same_data(tmp_path, photos):
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", photos, tests={"held-out": photos}, progress=stop_at(2))
    write_pictures(tmp_path / "photos", seed=5)
    with pytest.raises(TrainingError, match=r"data set 'photos' at .* has changed since the run began"):
        loop.resume(tmp_path / "run", methods=METHODS)
    for picture in (tmp_path / "photos").iterdir():
        picture.unlink()
    with pytest.raises(InputError, match="holds no pictures"):
        loop.resume(tmp_path / "run", methods=METHODS)


def test_resuming_needs_the_same_test_data(tmp_path, photos):
    held_out = write_pictures(tmp_path / "held-out", seed=1)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", photos, tests={"photos": str(held_out)}, progress=stop_at(2))
    write_pictures(held_out, seed=2)
    with pytest.raises(TrainingError, match=r"data set 'photos' at .*/held-out has changed"):
        loop.resume(tmp_path / "run", methods=METHODS)


@pytest.fixture
def named(tmp_path, monkeypatch):
    """Training on a data set by its name, whose only file is $GANSDK_DATA/dots/images."""
    images = np.random.default_rng(0).integers(0, 256, (5, adversary.SIDE, adversary.SIDE), np.uint8)
    dots = NamedDataset(
        name="dots",
        summary="noise",
        licence="CC0-1.0",
        author="Jo Doe",
        splits={"all": DataSplit({"images": "images"}, len(images), array_digest({"images": images}))},
        route="fetch FOLDER dots",
        reader="gansdk.data.idx:read_idx_files",
    )
    path = tmp_path / "data" / "dots" / "images"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes([0, 0, 8, 3]) + struct.pack(">3I", *images.shape) + images.tobytes())
    monkeypatch.setenv("GANSDK_DATA", str(tmp_path / "data"))
    return path, {
        "method": adversary.method("FromImages"),
        "data": {"": "dots"},
        "open_data": partial(find_data, named={"dots": dots}),
    }


def test_a_run_on_a_named_data_set_says_so_and_is_resumed_exactly(tmp_path, named, monkeypatch):
    path, how = named
    train(tmp_path / "whole", "", **how)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "halves", "", **how, progress=stop_at(3))
    path.parent.parent.rename(tmp_path / "elsewhere")
    monkeypatch.setenv("GANSDK_DATA", str(tmp_path / "elsewhere"))
    methods = {"tiny": how["method"]}
    loop.resume(tmp_path / "halves", methods=methods, open_data=how["open_data"])
    assert_same_run(tmp_path / "whole", tmp_path / "halves")
    recorded = json.loads((tmp_path / "whole" / "train.json").read_text())["data"]["photos"]
    assert recorded["path"] == "dots:all"
    (data,) = read_config(tmp_path / "whole" / "model").trained.data
    assert (data.name, data.licence, data.items) == ("dots:all", "CC0-1.0", 5)
    assert data.digest == recorded["data"]["digest"]
    (credit,) = read_attributions(tmp_path / "whole" / "model").data["dots:all"]
    assert (credit.author, credit.licence) == ("Jo Doe", "CC0-1.0")


def test_a_named_data_set_that_is_damaged_stops_training_before_it_begins(tmp_path, named):
    path, how = named
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"images is cut short: it has 319 of 320 values; get it again: fetch .* dots"):
        train(tmp_path / "run", "", **how)
    assert not (tmp_path / "run").exists()


def test_labels_that_a_recipe_needs_and_the_data_lacks_are_one_line(tmp_path, photos, named):
    _, how = named
    method = adversary.method("FromLabelled")
    with pytest.raises(InputError, match="dots:all has no labels; put the pictures of each class into a sub-folder"):
        train(tmp_path / "run", "", **how | {"method": method})
    with pytest.raises(InputError, match="photos has no labels"):
        train(tmp_path / "run", photos, method=method)
    for index, picture in enumerate(sorted((tmp_path / "photos").iterdir())):
        (tmp_path / "photos" / f"class {index % 2}").mkdir(exist_ok=True)
        picture.rename(tmp_path / "photos" / f"class {index % 2}" / picture.name)
    assert train(tmp_path / "run", photos, method=method).steps == 6


def test_resuming_says_that_versions_differ(tmp_path, photos):
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", photos, progress=stop_at(2))
    path = tmp_path / "run" / "train.json"
    record = json.loads(path.read_text())
    record["versions"]["torch"] = "1.4.0"
    path.write_text(json.dumps(record))
    notes = []
    loop.resume(tmp_path / "run", methods=METHODS, note=notes.append)
    assert f"torch 1.4.0 → {torch.__version__}" in notes[0]


def test_measuring_on_the_way_is_written_down_and_changes_nothing(tmp_path, photos):
    tests = {"own": str(write_pictures(tmp_path / "tests", seed=9))}
    kept = {"metrics": [one for one in discover().metrics.values() if one.name == "psnr-y"]}
    train(tmp_path / "plain", photos, tests=tests, **kept)
    train(tmp_path / "measured", photos, tests=tests, evaluate_every=3, **kept)
    (plain, plain_numbers), (measured, numbers) = state(tmp_path / "plain"), state(tmp_path / "measured")
    assert all(torch.equal(plain[key], measured[key]) for key in plain)
    assert plain_numbers["averages"] == numbers["averages"]
    weights = "model/model.safetensors"
    assert (tmp_path / "plain" / weights).read_bytes() == (tmp_path / "measured" / weights).read_bytes()
    lines = metrics(tmp_path / "measured")
    figures = {line["step"]: line["evaluation/own/psnr-y"] for line in lines if "evaluation/own/psnr-y" in line}
    assert list(figures) == [3, 6]
    assert figures[6] == read_evaluation(tmp_path / "measured" / "model").measurements[0].value
    assert [line for line in lines if "generator/look" in line] == metrics(tmp_path / "plain")


def test_measuring_on_the_way_needs_something_to_measure_on(tmp_path, photos):
    with pytest.raises(UsageError, match="evaluate_every needs something to measure on; add a test set"):
        train(tmp_path / "run", photos, evaluate_every=3)
    assert not (tmp_path / "run").exists()


def test_a_discriminator_that_has_won_stops_the_run_and_the_checkpoint_stays(tmp_path, photos):
    method = adversary.method("Lopsided")
    with pytest.raises(TrainingError, match=r"'discriminator' has won against 'generator': from step 0 to 4"):
        train(tmp_path / "run", photos, method=method, won_steps=3)
    assert state(tmp_path / "run")[1]["step"] == 2
    finished = loop.resume(tmp_path / "run", methods={"tiny": method}, won_steps=0)
    assert finished.steps == 6


def test_the_curves_are_drawn_at_each_checkpoint(tmp_path, photos):
    train(tmp_path / "run", photos)
    with Image.open(tmp_path / "run" / "curves.png") as curves:
        assert curves.size == (720, 480)  # two players

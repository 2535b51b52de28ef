"""``gansdk datasets`` through the installed command."""

from __future__ import annotations

from gansdk.data.mnist import MNIST


def test_every_split_is_listed_with_its_terms_and_what_gets_it(gansdk, monkeypatch):
    monkeypatch.setenv("GANSDK_DATA", str(gansdk.cwd / "my data"))
    records = {record["data"]: record for record in gansdk("datasets", "--json").records}
    test = records["mnist:test"]
    assert (test["items"], test["licence"], test["digest"]) == (10_000, "CC-BY-SA-3.0", MNIST.splits["test"].digest)
    assert (test["folder"], test["plugin"]) == (None, "gansdk")
    assert test["route"] == f"python scripts/fetch_datasets.py '{gansdk.cwd}/my data' mnist"
    done = gansdk("datasets")
    assert ["mnist:train", "60000", "CC-BY-SA-3.0", "-"] in [line.split()[:4] for line in done.out.splitlines()]
    assert done.code == 0
    assert f"to get mnist: {test['route']}" in done.err


def test_what_is_here_is_listed_with_its_folder(gansdk, monkeypatch):
    monkeypatch.setenv("GANSDK_DATA", str(gansdk.cwd))
    (gansdk.cwd / "mnist").mkdir()
    for file in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte.gz", "train-images-idx3-ubyte"):
        (gansdk.cwd / "mnist" / file).touch()
    folders = {record["data"]: record["folder"] for record in gansdk("datasets", "--json").records}
    assert folders["mnist:test"] == str(gansdk.cwd / "mnist")
    assert folders["mnist:train"] is None

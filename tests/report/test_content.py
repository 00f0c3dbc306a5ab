"""What the report says, against independent queries of the storage."""

import csv
import gzip
import json
import re
import shlex
from base64 import b64decode
from importlib.resources import files
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from study.report.collect import collect
from study.report.reproducibility import one_command
from study.training import registry
from tests.helpers import plans
from tests.helpers.sql import trials as stored_trials
from tests.report.helpers import Page, stored_best

MODELS = ("linear", "mlp")


@pytest.fixture(scope="module")
def out(first_report):
    return first_report[0]


@pytest.fixture(scope="module")
def page(out):
    return Page((out / "index.html").read_text())


@pytest.fixture(scope="module")
def summary(out):
    return json.loads((out / "summary.json").read_text())


@pytest.fixture(scope="module")
def labels():
    """The validation images' labels from the package's IDX file: 1 for a 9."""
    data = files("study") / "data" / "mnist-4-9-labels-idx1-ubyte.gz"
    return np.frombuffer(gzip.decompress(data.read_bytes())[8:], np.uint8)[10_000:] == 9


def error(count):
    return f"{100 * count / 1791:.2f} % ({count} of 1,791)"


@pytest.mark.parametrize("model", MODELS)
def test_the_summary_holds_the_best_trial_of_the_storage(summary, original, model):
    """summary.json's best trial is what plain SQL finds."""
    best = stored_best(original, model)

    found = summary["models"][model]["best"]

    same = ("val_errors", "val_loss", "step", "final_error")
    assert {name: found[name] for name in same} == {name: best[name] for name in same}
    assert best["parameters"].items() <= found.items()
    assert found["trial"] == best["number"]
    assert found["val_error"] == best["value"] == best["val_errors"] / 1791


@pytest.mark.parametrize("model", MODELS)
def test_the_summary_holds_the_study_and_its_target(summary, original, model):
    """The study's name, its trials, its target and whether it was met stand in summary.json."""
    best, target = stored_best(original, model), {"linear": 0.035, "mlp": 0.02}[model]

    found = summary["models"][model]

    assert (found["study"], found["trials"], found["target"]) == (model, 6, target)
    assert found["target_met"] is (best["val_errors"] / 1791 <= target)


def test_the_first_screen_names_the_winner_and_both_errors(page, original):
    """The headline says who erred less, by how much; the table gives fractions and counts."""
    counts = {model: stored_best(original, model)["val_errors"] for model in MODELS}
    winner = "linear model" if counts["linear"] < counts["mlp"] else "MLP"
    gap = 100 * abs(counts["linear"] - counts["mlp"]) / 1791

    head = page.text[: page.text.index("What the learning rate does")]

    assert f"The {winner} erred less" in head
    assert f"a difference of {gap:.2f} percentage points" in head
    assert all(error(count) in head for count in counts.values())


@pytest.mark.parametrize("model", MODELS)
def test_the_first_screen_has_wilson_intervals(page, original, model):
    """The interval beside each error is scipy's."""
    count = stored_best(original, model)["val_errors"]
    ends = binomtest(count, 1791).proportion_ci(method="wilson")

    assert f"{100 * ends.low:.2f} % to {100 * ends.high:.2f} %" in page.text


def test_every_trial_stands_in_the_tables(out, original):
    """trials.csv has a row a stored trial, with its parameters and error."""
    frame = pd.read_csv(out / "tables" / "trials.csv")

    stored = [t for model in MODELS for t in stored_trials(original, model)]
    assert list(frame["val_errors"]) == [t["val_errors"] for t in stored]
    rates = [t["parameters"]["learning_rate"] for t in stored]
    assert list(frame["learning_rate"]) == pytest.approx(rates, rel=1e-14)  # as pandas 2 reads
    assert frame["hidden_units"].dropna().tolist() == [
        t["parameters"]["hidden_units"] for t in stored if "hidden_units" in t["parameters"]
    ]


def test_best_so_far_is_the_running_minimum(out, original):
    """history.csv's best so far is the lowest error up to that trial, per model."""
    frame = pd.read_csv(out / "tables" / "history.csv")

    for model in MODELS:
        values = [t["value"] for t in stored_trials(original, model)]
        running = [min(values[: k + 1]) for k in range(len(values))]
        title = {"linear": "Linear model", "mlp": "MLP"}[model]
        best = frame.loc[frame["model"] == title, "best_so_far"].tolist()
        assert best == pytest.approx(running, rel=1e-14)  # as pandas 2 reads


@pytest.mark.parametrize("model", MODELS)
def test_the_learning_curves_are_the_winners(out, original, model):
    """The curves' CSV holds the winner's stored curve, errors as fractions."""
    curve = stored_best(original, model)["curve"]

    frame = pd.read_csv(out / "tables" / "curves.csv")
    title = {"linear": "Linear model", "mlp": "MLP"}[model]
    frame = frame[frame["model"] == title]

    assert frame["step"].tolist() == curve["step"]
    assert frame["val_loss"].tolist() == curve["val_loss"]
    assert frame["train_error"].tolist() == [count / 100 for count in curve["train_errors"]]


def test_the_misread_images_are_those_of_the_stored_predictions(out, original, labels):
    """misread.csv marks exactly the images whose stored bit differs from the label."""
    frame = pd.read_csv(out / "tables" / "misread.csv")

    for model in MODELS:
        best = stored_best(original, model)
        packed = np.frombuffer(b64decode(best["predictions"]), np.uint8)
        wrong = np.flatnonzero(np.unpackbits(packed, count=1791) != labels)
        assert sorted(frame.loc[frame[f"{model}_wrong"], "image"]) == wrong.tolist()
        assert len(wrong) == best["val_errors"]


def answers(original, model, places, *, trained=True):
    """P(a 9) of validation images by torch's own module, as the search's best trial has it."""
    import torch

    from study.dataset import load
    from study.storage import load_weights
    from study.training.registry import MODELS as KINDS
    from study.training.registry import build

    best = stored_best(original, model)
    configuration = best["parameters"]
    net = build(KINDS[model], configuration, seed=best["seed"])
    if trained:
        path = original.parent / f"study.db.files/{model}/trial-{best['number']:05d}.safetensors"
        net.load_state_dict({k: torch.from_numpy(v) for k, v in load_weights(path)[0].items()})
    return torch.sigmoid(net(torch.from_numpy(load().images[10_000:][places])))[:, 0].detach()


@pytest.mark.parametrize("model", MODELS)
def test_the_probabilities_are_those_of_the_plain_model(out, original, model):
    """misread.csv's probabilities are the sigmoid of the torch model's logits."""
    frame = pd.read_csv(out / "tables" / "misread.csv")

    expected = answers(original, model, frame["image"])

    np.testing.assert_allclose(frame[f"p_{model}"], expected, atol=2e-5)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_ten_predictions_are_those_of_the_plain_model(out, original, model, when):
    """P(the right class) by torch's module, with its initial weights and with the stored ones."""
    frame = pd.read_csv(out / "tables" / "predictions.csv")

    nine = answers(original, model, frame["image"], trained=when == "after")

    expected = np.where(frame["class"] == 9, nine, 1 - nine)
    np.testing.assert_allclose(frame[f"{model}_{when}"], expected, atol=2e-5)


def test_the_examples_are_the_images_raw_and_normalised(out):
    """The normalised ones are what the models see; the raw ones are pixels in another unit."""
    from study.dataset import load

    frame = pd.read_csv(out / "tables" / "examples.csv")
    raw, seen = (frame.loc[frame["kind"] == kind] for kind in ("raw", "normalised"))
    places = seen["image"].drop_duplicates().to_numpy()

    pixels = load().raw[places].reshape(-1)
    np.testing.assert_allclose(seen["value"], load().images[places].reshape(-1), atol=1e-5)
    slope, offset = np.polyfit(pixels, raw["value"], 1)
    np.testing.assert_allclose(raw["value"], slope * pixels + offset, atol=1e-5)


def test_the_data_counts_are_those_of_the_labels(out, labels):
    """data.csv counts the 4s and 9s that validate, and 10,000 that train."""
    frame = pd.read_csv(out / "tables" / "data.csv").set_index("split")

    nines = int(labels.sum())
    assert frame.loc["validation"].tolist() == [1791 - nines, nines, 1791]
    assert frame.loc["training", "all"] == 10_000


def test_the_weights_image_is_the_stored_weights(out, original):
    """linear_weights.csv is the winner's 784 weights in row order."""
    from study.storage import load_weights

    number = stored_best(original, "linear")["number"]
    path = original.parent / "study.db.files" / "linear" / f"trial-{number:05d}.safetensors"

    frame = pd.read_csv(out / "tables" / "linear_weights.csv")

    np.testing.assert_array_equal(
        frame["weight"].to_numpy(np.float32), load_weights(path)[0]["linear.weight"][0]
    )
    assert (frame["row"] * 28 + frame["column"]).tolist() == list(range(784))


def test_every_figure_has_its_numbers_and_every_table_can_be_read(out):
    """Each PNG has a CSV of the same name, and every CSV parses with rows of one length."""
    tables = {path.stem: path for path in (out / "tables").glob("*.csv")}

    assert {path.stem for path in (out / "figures").glob("*.png")} <= tables.keys()
    for path in tables.values():
        rows = list(csv.reader(path.read_text().splitlines()))
        assert len(rows) > 1
        assert len({len(row) for row in rows}) == 1


def test_render_returns_the_page_that_write_writes(out, rendered):
    """render() and index.html are the same text, but for the links to the files beside it."""
    written = (out / "index.html").read_text()
    alone = re.sub(
        r'(?s)<p class="note files">.*?</p>|<details>\s*<summary>All files.*?</details>',
        "",
        written,
    )

    assert rendered.split() == alone.split() != written.split()


def test_every_file_beside_the_page_is_linked(out):
    """Each by its own address, and none that is not there."""
    links = [a["href"] for a in Page((out / "index.html").read_text()).all("a")]

    there = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    linked = {unquote(link) for link in links if not link.startswith("#")}
    assert linked == there - {"index.html", "report-files.json"}


def test_the_one_command_has_the_stored_plans(tmp_path):
    """That of the first screen, parsed, plans every study as it is stored."""
    from study import command
    from study.report.options import models_of
    from study.search.options import plans_of

    path = str(tmp_path / "study.db")
    usual = {"generation_size": 0, "cohort_size": 0}
    for model in MODELS:
        target = registry.MODELS[model].target
        plans.searched(path, model, target=target, seed=3, sampler="random", **usual)
    record = collect(path)

    args = command.parser().parse_args(shlex.split(one_command(record))[3:])

    for plan, search in zip(plans_of(args, models_of(args)), record.searches, strict=True):
        data = search.manifest["data_sha256"]
        assert plan.settled().manifest(data) == search.stored.plan.manifest(data)


def test_sizes_that_the_one_command_does_not_take_need_several(original):
    """The first screen then points to the steps."""
    assert one_command(collect(str(original))) == ""


def test_the_reproduce_command_has_the_stored_plan(page, original):
    """The printed search command, parsed, plans exactly what the manifest says."""
    from study.search.options import parser, plans_of
    from study.storage import load_study, manifest
    from study.training.registry import MODELS as KINDS

    line = next(x for x in page.text.split("python -m ") if x.startswith("study.search"))
    arguments = shlex.split(line)[1:]

    args = parser().parse_args(arguments)

    stored = manifest(load_study(str(original), "linear"))
    [plan] = plans_of(args, [KINDS["linear"]])
    found = plan.manifest(stored["data_sha256"])
    assert json.loads(json.dumps(found)) | {"study": "linear"} == stored
    assert args.n_trials == 6

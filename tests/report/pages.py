"""Pages of studies that contrast: what is true on one of them is false on another."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
from optuna.distributions import FloatDistribution

import study
from study import dataset
from study.margin import Margin
from study.report.collect import collect
from study.search.objective import Objective
from study.stats import Interval
from study.storage import open_study
from study.training.protocol import Protocol
from study.training.registry import MODELS, default_space
from tests.helpers import plans
from tests.helpers.plans import space_of
from tests.helpers.sql import change
from tests.helpers.versions import others
from tests.report.conftest import copied, searched
from tests.report.helpers import set_attribute
from tests.report.models import NET
from tests.report.test_awkward import relabel
from tests.report.test_judged import mean_of, with_sides
from tests.report.test_own_data import images, table

QUICK = Protocol(steps=60, val_every=20)
OFTEN = Protocol(steps=201, val_every=1)  # more validations than a curve on a page has points
MOMENTUM = space_of((0.3, 0.3)) | {"momentum": FloatDistribution(0, 0.99)}
STUDIES = {
    "random": ("linear", 15, {"sampler": "random"}),
    "learnt": ("linear", 15, {"sampler": "tpe", "target": 0.2, "target_rule": "wilson"}),
    "not learnt": ("linear", 10, {"sampler": "tpe", "target": 0.001}),
    "part learnt": ("mlp", 20, {"sampler": "tpe", "generation_size": 5, "target": None}),
    "grid": ("linear", 15, {"sampler": "grid", "grid": 15}),
    "pruned": ("linear", 15, {"sampler": "random", "pruner": "median"}),
    "outside": ("linear", 5, {"sampler": "random", "space": default_space(MODELS["linear"])}),
    "only outside": ("linear", 5, {"sampler": "tpe", "space": default_space(MODELS["linear"])}),
    "too low": ("linear", 6, {"space": space_of((1e-5, 1e-4))}),
    "too high": ("linear", 8, {"space": space_of((0.3, 1000.0))}),
    "fixed": ("linear", 2, {"space": space_of((0.1, 0.1))}),
    "momentum": ("linear", 2, {"space": MOMENTUM, "seed": 6}),  # whose best is near 0
    "net once": ("net", 1, {"space": NET.space, "protocol": OFTEN}),
    "empty": ("linear", 1, {}),
    "empty too": ("mlp", 1, {}),
    "net": ("net", 24, {"space": NET.space, "generation_size": 12}),
}


def make_studies(path):
    """Searches of a fraction of a second each, in one storage."""
    for name, (model, n_trials, changes) in STUDIES.items():
        searched(path, model, name=name, n_trials=n_trials, **{"protocol": QUICK} | changes)
    own = Objective("linear", dataset.load(), seed=0, protocol=QUICK, target=0.035)
    those = "study_name = 'only outside' OR study_name LIKE 'empty%'"
    change(
        path,
        f"DELETE FROM trials WHERE study_id IN (SELECT study_id FROM studies WHERE {those})",
    )
    for name in ("outside", "only outside"):
        open_study(str(path), name).optimize(own, n_trials=1)
    _search_with_others(path)
    plans.confirmed(path, names=("learnt", "part learnt"), n_trials=12, folds=0)
    plans.confirmed(path, names=("random", "grid"), folds=2)


def _search_with_others(path):
    """One study with other versions than are here, and one that was begun with those alone."""
    found = plans.plan(protocol=QUICK)
    with others("torch"):
        plans.search(path, "older", 2, found)
        plans.search(path, "gone on", 2, found)
    plans.search(path, "gone on", 4, found, other_versions=True)


def of_official_images(path):
    """Pages of the searches in :data:`STUDIES`, some alone and some together."""
    for names in (
        ("random",),
        ("grid", "random"),
        ("learnt", "part learnt"),
        ("not learnt",),
        ("pruned",),
        ("outside",),
        ("only outside",),
        ("pruned", "outside", "not learnt"),
        ("too low", "too high"),
        ("fixed", "momentum", "net"),
        ("net once",),
        ("older",),
        ("gone on",),
        ("pruned", "empty", "empty too"),
    ):
        yield " and ".join(names), collect(str(path), names=names)


def of_altered(original, folder):
    """Pages of two searches whose results a test has altered."""
    for name, alter in ALTERED.items():
        storage = copied(original, folder / name)
        alter(storage)
        yield name, collect(str(storage))


ALTERED = {
    "no trial of one": lambda storage: change(storage, "DELETE FROM trials WHERE study_id = 1"),
    "no trial": lambda storage: change(storage, "DELETE FROM trials"),
    "all pruned": lambda storage: change(storage, "UPDATE trials SET state = 'PRUNED'"),
    "a tie": lambda storage: set_attribute(storage, "val_errors", 33),
    "no errors": lambda storage: set_attribute(storage, "val_errors", 0),
    "no weights": lambda storage: shutil.rmtree(storage.parent / "study.db.files"),
    "other images": lambda storage: _relabelled(storage, data_sha256="0" * 64),
    "another set": lambda storage: _relabelled(storage, dataset="kmnist", classes=(3, 5)),
}


def _relabelled(storage, data_sha256=None, **protocol):
    for name in ("linear", "mlp"):
        fields = {} if data_sha256 is None else {"data_sha256": data_sha256}
        if protocol:
            fields["protocol"] = QUICK.to_manifest() | protocol
        relabel(storage, name, **fields)


def of_other_verdicts(confirmed, of_six):
    """Pages of confirmed studies, with other numbers than these short ones have."""
    record = collect(str(confirmed), margin=Margin(0.0025, is_relative=False))
    worse, better = ({"simplicity": mean_of(k, k - 0.1, k + 0.1)} for k in (0.2, -0.2))
    yield "simplest trials that differ", with_sides(record, worse, better)
    first, *others = of_six.comparison.pairs
    verdict = replace(
        first.verdict,
        **{"outcome": "A better", "leader": "A", "separated": True, "within_margin": True},
        difference=replace(first.difference, interval=Interval(-0.01, 0.03)),
        p_adjusted=0.04,
    )
    pairs = (replace(first, verdict=verdict), *others)
    yield (
        "a pair within the margin",
        replace(of_six, comparison=replace(of_six.comparison, pairs=pairs)),
    )


OWN = {
    "t.csv": (("linear", "mlp"), {}, {"folds": 2, "splits": 3}),
    "wide.csv": (("linear", "mlp", "linear again"), {"normalisation": "none"}, {}),
    "few.csv": (("mlp few", "mlp"), {}, None),
    "pets": (("linear", "mlp"), {}, {}),
    "grey.npz": (("mlp",), {"order": "file", "normalisation": "none"}, None),
    "columns.npz": (("linear",), {"normalisation": "columns"}, None),
}  # file or folder → studies, how the data are read, and the sizes of a confirmation


def write_own_data(folder):
    """A person's own tables and images, in files."""
    table().to_csv(folder / "t.csv", index=False)
    columns = table(1200).drop(columns="kind")
    wide = pd.concat([columns, columns.add_suffix("b")], axis=1)
    wide = wide.assign(light=np.random.default_rng(0).choice(["on", "off"], 1200))
    wide.to_csv(folder / "wide.csv", index=False)
    columns.iloc[:300, :6].assign(kind=np.arange(300) % 2).to_csv(folder / "few.csv", index=False)
    images(folder / "pets")
    grey = np.random.default_rng(0).integers(0, 17, (300, 30, 30))
    for name in ("grey.npz", "columns.npz"):
        np.savez(folder / name, X=grey, y=np.arange(300) % 2)


def of_own_data(folder):
    """Pages of a person's own data, confirmed and not, with and without their files."""
    write_own_data(folder)
    for name, (studies, options, sizes) in OWN.items():
        path, storage = folder / name, folder / f"{name}.db"
        data = study.load(data=path, **options)
        for each in studies:
            _search_own(storage, each, data, path)
        yield name, collect(str(storage), names=studies, data_root=path)
        if sizes is not None:
            plans.confirmed(storage, names=studies, data_root=path, **sizes)
            yield f"{name}, confirmed", collect(str(storage), names=studies, data_root=path)
    storage = folder / "few.csv.db"
    yield "few.csv without its file", collect(str(storage), names=("mlp",))
    set_attribute(storage, "val_errors", 0)
    path = folder / "few.csv"
    yield "few.csv without errors", collect(str(storage), names=("mlp",), data_root=path)


def _search_own(storage, name, data, path):
    """A short search of the kind of model with which a study's name begins."""
    protocol = Protocol.of(data, steps=60, val_every=20)
    found = plans.plan(name.split()[0], protocol=protocol, inputs=data.inputs, target=None)
    if "few" in name:
        found = replace(found, space=space_of(hidden_units=(2, 4)))
    plans.search(storage, name, 4, found, data_root=path)

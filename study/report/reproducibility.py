"""The commands that make the same studies again, what both had, and where they come from."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from study import formats, system
from study.confirm.division import FOLDS
from study.confirm.loop import FINALISTS, Settings
from study.dataset import is_official
from study.margin import DEFAULT_MARGIN
from study.report import parameters, words
from study.report.record import Record, ReportedStudy
from study.search.loop import Settings as SearchSettings
from study.storage.versions import runs
from study.training.plan import LEARNING, SAMPLERS, Plan
from study.training.protocol import Protocol
from study.training.registry import MODELS, default_space
from study.training.space import contains, optimiser_space
from study.training.space import words as words_of

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

USUAL = {  # the defaults of ``python -m study``
    "--storage": "study.db",
    "--n-trials": str(SearchSettings.n_trials),
    "--seed": "0",
    "--seeds": str(Settings.seeds),
    "--splits": str(FOLDS),
    "--folds": str(FOLDS),
    "--finalists": str(FINALISTS),
}
_SIZES = {"--generation", "--cohort"}  # which ``python -m study`` does not take


def commands(record: Record) -> list[str]:
    """A search for each study, the confirmation if any, and the report, as typed in a shell."""
    searches = [
        system.shell(["python", "-m", "study.search", *_options(record, search)])
        for search in record.searches
    ]
    report = _command(record, "study.report", [*_margin(record), *_shared(record)])
    return [*searches, *([confirm_command(record)] if record.comparison else []), report]


def confirm_command(record: Record) -> str:
    """The confirmation as it was made, or with its defaults where there is none."""
    return _command(
        record, "study.confirm", [*_confirmation(record), *_margin(record), *_shared(record)]
    )


def one_command(record: Record) -> str:
    """``python -m study`` with what makes all of it again; empty where it takes several commands.

    It searches all models alike, under their own names, and confirms with the searches' seed.
    """
    names = [search.model.name for search in record.searches]
    first, *others = ([*_options(record, search)][2:] for search in record.searches)
    if not others or any(options != first for options in others):
        return ""
    if [search.name for search in record.searches] != names or _SIZES & {*first}:
        return ""
    models = [] if names == list(MODELS)[:2] else ["--models", *names]
    if record.comparison is None:
        return system.shell(["python", "-m", "study", *_unusual(first), *models, "--no-confirm"])
    c = record.comparison.pairs[0]
    if (c.seed, c.judged.n_trials) != (record.searches[0].manifest["seed"], Settings.n_trials):
        return ""
    more = [*_unusual([*_sizes(record)]), *_margin(record)]
    return system.shell(["python", "-m", "study", *_unusual(first), *models, *more])


def _unusual(options: Sequence[str]) -> list[str]:
    """Options without those that are at the defaults of ``python -m study``."""
    kept: list[str] = []
    for word in options:
        if kept and USUAL.get(kept[-1]) == word:
            kept.pop()
        else:
            kept.append(word)
    return kept


def _command(record: Record, module: str, more: list[str]) -> str:
    """A command on the studies, which are named where they are not the ones taken without."""
    names = [search.name for search in record.searches]
    words = ["python", "-m", module, "--storage", record.storage]
    if len(names) > 2:
        dashed = any(name.startswith("-") for name in names)
        return system.shell([*words, *more, *(["--"] if dashed else []), *names])
    if names != list(MODELS)[:2]:
        options = zip(("linear", "mlp"), names, strict=False)
        words += [f"--{option}={name}" for option, name in options]
    return system.shell([*words, *more])


def _confirmation(record: Record) -> Iterator[str]:
    """How the studies were confirmed."""
    if record.comparison is not None:
        c = record.comparison.pairs[0]
        yield from _sizes(record)
        yield from ("--n-trials", str(c.judged.n_trials), "--seed", str(c.seed))


def _sizes(record: Record) -> Iterator[str]:
    """How many replicates, splits, folds and finalists the confirmation has."""
    assert record.comparison is not None
    c = record.comparison.pairs[0]
    finalists = max(len(side.finalists) for side in record.comparison.sides)
    yield from ("--seeds", str(c.n_seeds), "--splits", str(c.judged.n_splits))
    yield from ("--folds", str(c.judged.folds), "--finalists", str(finalists))


def _shared(record: Record) -> list[str]:
    """Where the data and the models of one's own are: the same for every command."""
    files = [option for search in record.searches for option in _model_file(search)][:2]
    return [*_place(record.protocol), *files]


def _margin(record: Record) -> list[str]:
    """The margin of the verdict, where it is not the default one."""
    if record.comparison is None:
        return []
    stated = record.comparison.pairs[0].verdict.stated_margin
    return [] if stated == DEFAULT_MARGIN else [f"--margin={stated}"]


def _options(record: Record, search: ReportedStudy) -> Iterator[str]:
    """Every option that the manifest says was not at its default, and the main ones."""
    stored, model = search.manifest, search.model
    yield from ("--model", model.name, "--storage", record.storage)
    if search.name != model.name:
        yield f"--study-name={search.name}"
    yield from ("--n-trials", str(len(search.trials)), "--seed", str(stored["seed"]))
    usual_target = model.target if is_official(search.protocol.dataset) else None
    if search.target is not None and search.target != usual_target:
        yield from ("--target", str(search.target))
    plan = search.stored.plan
    usual_sizes = replace(plan, generation_size=0, cohort_size=0).settled()
    for name in ("generation", "cohort"):
        if stored[name] != getattr(usual_sizes, f"{name}_size"):
            yield from (f"--{name}", str(stored[name]))
    for name, usual in (
        ("target_rule", "point"),
        ("sampler", SAMPLERS[0]),
        ("pruner", "none"),
        ("device", "cpu"),
    ):
        if stored.get(name, usual) != usual:
            yield from (_flag(name), str(stored[name]))
    if model.is_built_in and plan.device == "cpu":
        yield from ("--engine", plan.engine)  # whose default depends on the processor
    own = default_space(model)
    known = optimiser_space() | own
    for name, found in search.stored.plan.space.items():
        if found != own.get(name):
            yield from ("--param", f"{name}={_stated(found, known.get(name))}")
    yield from (*_protocol(search.protocol), *_model_file(search))


def _stated(found: Any, own: BaseDistribution | None) -> str:  # noqa: ANN401 (any distribution)
    """A distribution as ``--param`` takes it; a value outside of the model's own is a range."""
    text = words_of(found)
    is_outside = own is not None and not hasattr(found, "choices") and not contains(own, found.low)
    return f"{text}..{text}" if found.single() and is_outside else text


def _protocol(protocol: Protocol) -> Iterator[str]:
    """Where the data lie, which of them are used, and how every trial was trained."""
    default, official = Protocol(), is_official(protocol.dataset)
    of_data = () if official else ("n_train", "batch_size")  # whose defaults follow the data
    for name in ("dataset", "n_train", "steps", "batch_size", "val_every"):
        is_usual = getattr(protocol, name) == getattr(default, name)
        if name in of_data or not (is_usual or (name == "dataset" and not official)):
            yield from (_flag(name), str(getattr(protocol, name)))
    if not official:
        yield from ("--classes", *map(str, protocol.classes))
        yield from (["--label", protocol.label] if protocol.label else [])
    elif protocol.classes != default.classes:
        yield from ("--digits", *map(str, protocol.classes))
    if protocol.order != (None if official else 0):
        yield from ("--order", "file" if protocol.order is None else str(protocol.order))
    usual = "image" if official else "columns" if protocol.label else ""  # arrays have either
    if protocol.normalisation != usual:
        yield from ("--normalisation", protocol.normalisation)
    yield from _place(protocol)


def _place(protocol: Protocol) -> list[str]:
    """Where the data lie: a person's own are in their file, wherever that is."""
    if not is_official(protocol.dataset):
        return ["--data", protocol.dataset]
    bundled = protocol.dataset == "mnist" and set(protocol.classes) == {4, 9}
    return [] if bundled else ["--data-root", "DIR"]


def _model_file(search: ReportedStudy) -> list[str]:
    """A model that a person registered is in a file of theirs, wherever that lies."""
    return ["--model-file", "FILE"] if search.model.source_sha256 else []


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def digest_commands(record: Record) -> list[str]:
    """What prints the trials' digests, with SQLite's own program and nothing of this one."""
    if "://" in record.storage:
        return []
    return [_digest_command(record.storage, search.name) for search in record.searches]


def _digest_command(storage: str, name: str) -> str:
    literal = name.replace("'", "''")
    query = (
        "SELECT substr(value_json, 2, 64) FROM studies NATURAL JOIN trials NATURAL JOIN"
        f" trial_user_attributes WHERE study_name = '{literal}' AND key = 'digest' ORDER BY number"
    )
    quoted = shlex.quote(query) if set(name) & set('"$`!\\') else f'"{query}"'
    return f"sqlite3 {shlex.quote(storage)} {quoted} | sha256sum"


def facts(record: Record) -> list[list[str]]:
    """What each model had, a row a fact, a column a model."""
    return _side_by_side([_facts(record, search) for search in record.searches])


def provenance(record: Record) -> list[list[str]]:
    """Where each study comes from, a row a fact, a column a model."""
    return _side_by_side([_provenance(search) for search in record.searches])


def _side_by_side(columns: list[dict[str, str]]) -> list[list[str]]:
    return [[name, *(column[name] for column in columns)] for name in columns[0]]


def _facts(record: Record, search: ReportedStudy) -> dict[str, str]:
    stored, protocol, best = search.manifest, search.protocol, search.best
    return {
        "Study": search.name,
        "Model": search.stored.plan.title,
        "Trials": words.counted(search),
        **{_searched(name): _range(search, name) for name in parameters.names(record)},
        "Sampler": _sampler(search.stored.plan),
        "Pruner": str(stored.get("pruner", "none")),
        "Steps of a trial": f"{protocol.steps:,} of {protocol.batch_size} {record.items}",
        "Validated": f"every {formats.plural(protocol.val_every, 'step')}",
        "Training time of the search": formats.seconds(search.seconds),
        "The winner": f"trial {best.number}: {words.parameters(best)}" if best else "none",
        "Numbers that the winner learns": _learnt(search),
    }


def _sampler(plan: Plan) -> str:
    """Its name; of one that learns also how often."""
    is_learning = plan.sampler in LEARNING
    return plan.sampler + f", {plan.generation_size} trials at a time" * is_learning


def _learnt(search: ReportedStudy) -> str:
    if search.weights is None:
        return "not known without its weights"
    return f"{sum(tensor.size for tensor in search.weights.values()):,}"


def _provenance(search: ReportedStudy) -> dict[str, str]:
    stored, plan, found = search.manifest, search.stored.plan, search.stored.machine
    versions = ", ".join(f"{name} {number}" for name, number in stored.get("versions", {}).items())
    where = ", ".join(
        [str(found.get("processor")), f"{found.get('cores')} cores", str(found.get("system"))]
    )
    python = f", Python {found['python']}" if "python" in found else ""
    others = "; some trials with others" if len(runs(search.stored)) > 1 else ""
    return {
        "Seed": str(stored["seed"]),
        "Versions": (versions or "not recorded") + python + others,
        "Machine": where if found else "not recorded",
        "Trained on": f"{plan.device}, products by {plan.engine}",
        "SHA-256 of the trials’ digests": search.digest,
    }


def _searched(name: str) -> str:
    """The head of a row of the table: ``Learning rates searched``."""
    return f"{parameters.title(name)}{'s' * (name == 'learning_rate')} searched"


def _range(search: ReportedStudy, name: str) -> str:
    found: Any = search.stored.plan.space.get(name)
    if found is None:
        return "none"
    if hasattr(found, "choices"):
        return formats.listed([formats.value(choice) for choice in found.choices])
    low, high = formats.value(found.low), formats.value(found.high)
    return low if found.single() else f"{low} to {high}"

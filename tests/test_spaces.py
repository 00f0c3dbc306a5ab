"""What a model's space may hold, and what the command line may say of it."""

from argparse import Namespace
from dataclasses import replace

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from study.errors import StudyError
from study.search.options import parser
from study.search.parameters import narrowed, space_of, stated_by, target_of
from study.training.models import SimpleMLP
from study.training.registry import MODELS, Model, default_space, register
from study.training.space import from_json, modern, to_json, words
from tests.helpers.plans import space_of as former_of

OWN = Model(
    name="own",
    title="own",
    factory=SimpleMLP,
    space={
        "learning_rate": FloatDistribution(1e-4, 1, log=True),
        "momentum": FloatDistribution(0, 0.95),
        "units": IntDistribution(4, 64, log=True),
        "rows": IntDistribution(1, 9, step=2),
        "activation": CategoricalDistribution(("relu", "tanh", "a,b", "0..1", None)),
    },
    size_parameters=("units",),
)
HAS = "own has learning_rate=0.0001..1, momentum=0..0.95, units=4..64, rows=1..9, activation="


def args(*options):
    """The options of a search, parsed."""
    return parser().parse_args(["--model", "own", *options])


def space(*options, models=(OWN,)):
    """The space of the model under these options."""
    return space_of(stated_by(args(*options)), OWN, models)


@pytest.mark.parametrize(
    ("option", "name", "found"),
    [
        ("momentum=0.5", "momentum", FloatDistribution(0.5, 0.5)),
        ("own.momentum=0..2", "momentum", FloatDistribution(0, 2)),
        ("learning_rate=1e-6..10", "learning_rate", FloatDistribution(1e-6, 10, log=True)),
        ("units=8..16", "units", IntDistribution(8, 16, log=True)),
        ("rows=3..7", "rows", IntDistribution(3, 7, step=2)),
        ("activation=tanh,RELU", "activation", CategoricalDistribution(("tanh", "relu"))),
        ("activation=a,b", "activation", CategoricalDistribution(("a,b",))),
        ("activation=0..1", "activation", CategoricalDistribution(("0..1",))),
        ("activation=none", "activation", CategoricalDistribution((None,))),
        ("weight_decay=1e-4", "weight_decay", FloatDistribution(1e-4, 1e-4, log=True)),
    ],
)
def test_an_option_states_a_value_a_range_or_choices(option, name, found):
    """Type, scale and step are the model's; all else stays as the model has it."""
    assert space("--param", option) == default_space(OWN) | {name: found}


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("depth=3", "no such hyperparameter"),
        ("units=64..4", "the range is reversed: give 4..64"),
        ("units=8,16", "units is a number, and no choice"),
        ("units=8.5", "'8.5' is not a whole number"),
        ("units=128", "is outside of 4..64, where a range 128..128 may lie"),
        ("units=0..8", "0 is not above 0, and the scale is logarithmic"),
        ("rows=2", "is off the steps of 2 from 1"),
        ("momentum=-1..1", "momentum: -1..1 can't be searched: must be numbers, 0 or more"),
        ("momentum=nan", "nan is not a finite number below 1e+15"),
        ("momentum=..", "'' is not a number"),
        ("activation=relu..tanh", "'relu..tanh' is none of the choices"),
        ("activation=relu,selu", "'selu' is none of the choices"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(option, why):
    """One line: the option, what is wrong, and all that the model has."""
    with pytest.raises(StudyError) as refused:
        space("--param", option)

    assert str(refused.value).startswith(f"--param {option}: {why}")
    assert HAS in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_names_the_model_counts_first_and_twice_is_refused():
    """Of both models, or of this one; the order on the command line does not matter."""
    both = (OWN, MODELS["mlp"])
    options = ("--param", "own.momentum=0.1", "--param", "momentum=0.9")

    assert space(*options, models=both)["momentum"] == FloatDistribution(0.1, 0.1)
    stated = stated_by(args(*options))
    assert narrowed(stated, MODELS["mlp"], both)["momentum"] == FloatDistribution(0.9, 0.9)
    with pytest.raises(StudyError, match=r"momentum=0\.2: momentum is given twice: give it once"):
        space(*options, "--param", "momentum=0.2")
    with pytest.raises(StudyError, match="model 'forest' is not searched here"):
        space("--param", "forest.momentum=0.1")


def test_nesterov_needs_a_momentum():
    """As in torch, which refuses it alone."""
    with pytest.raises(StudyError, match="nesterov: there is no momentum"):
        space("--param", "nesterov=true", "--param", "momentum=0")

    assert "nesterov" in space("--param", "nesterov=true")


def test_a_target_is_of_one_model_or_of_all():
    """One that names the model counts first; none is stated for one's own data."""
    both = (OWN, MODELS["mlp"])
    given = args("--target", "0.1", "--target", "mlp=0.05")

    assert [target_of(given, model, both) for model in both] == [0.1, 0.05]
    own = Namespace(**vars(args()) | {"data": "x.csv"})
    assert target_of(own, MODELS["mlp"], both) is None
    with pytest.raises(StudyError, match="--target: is given twice"):
        target_of(args("--target", "0.1", "--target", "0.2"), OWN, both)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"space": {"inputs": IntDistribution(1, 2)}}, "has 'inputs'"),
        ({"space": {"a b": IntDistribution(1, 2)}}, "has 'a b'"),
        ({"space": {"units": (1, 2)}}, "units is a tuple: must be a distribution"),
        ({"space": {"x": CategoricalDistribution((1, True))}}, "x has equal choices"),
        ({"space": {"x": CategoricalDistribution((1, "1"))}}, "x has equal choices"),
        ({"space": {"x": CategoricalDistribution((float("nan"), 1))}}, "x has the choice nan"),
        ({"space": {"x": CategoricalDistribution(("", "a"))}}, "x has the choice ''"),
        ({"space": {"x": FloatDistribution(0, float("inf"))}}, "x has no finite range"),
        ({"space": {"momentum": FloatDistribution(-1, 0)}}, "momentum: -1..0 can't be searched"),
        (
            {"space": {"learning_rate": CategoricalDistribution((0.1, 1))}},
            "learning_rate: 0.1,1 can't be searched: must be a range above 0",
        ),
        ({"size_parameters": ("activation",)}, "size_parameters are"),
        ({"size_parameters": "units"}, "size_parameters are"),
        ({"generation": 0}, "must be 1 or more"),
        ({"target": 2.0}, "must be a fraction"),
        ({"name": "a=b"}, "is no name"),
    ],
)
def test_a_model_that_can_not_be_searched_is_not_registered(changes, words):
    """The message names what is wrong, on one line."""
    with pytest.raises(StudyError) as refused:
        register(replace(OWN, **{"name": "unfit", "size_parameters": ()} | changes))

    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "unfit" not in MODELS


def test_momentum_may_be_a_choice():
    """Of numbers, which the optimiser takes."""
    momentum = CategoricalDistribution((0.0, 0.9))

    assert default_space(replace(OWN, space={"momentum": momentum}))["momentum"] == momentum


def test_a_space_comes_back_from_a_manifest():
    """Also one in the format of version 0.1, two names with their ends."""
    assert from_json(to_json(OWN.space)) == OWN.space
    former = {"learning_rate": [1e-5, 1.0], "hidden_units": [16, 128]}
    assert from_json(former) == former_of(hidden_units=(16, 128))
    assert from_json(former | {"hidden_units": None}) == former_of()
    assert modern({"space": former})["space"] == to_json(from_json(former))


def test_a_distribution_is_written_as_an_option_takes_it():
    """With all digits that it has."""
    found = FloatDistribution(0.1234567890123, 1)

    assert words(found) == "0.1234567890123..1"
    assert space("--param", f"momentum={words(found)}")["momentum"] == found

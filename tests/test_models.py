"""The models against ``nn.Linear``; the cohorts, value and gradient, against autograd."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from study.training.cohorts import LinearCohort, MixedCohort, MLPCohort, ModuleCohort, cohort_of
from study.training.images import Fold, Images
from study.training.models import SimpleLinear, SimpleMLP
from study.training.plain import plain_step
from study.training.products import products
from study.training.registry import Model, build
from study.training.sgd import Sgd

EXACT = {"rtol": 1e-9, "atol": 1e-11}  # float64 training, where rounding is 1e-16
ROUNDING = {"rtol": 1e-5, "atol": 1e-4}  # float32 sums of 784 products that reach 40
BATCH = slice(0, 100)


@pytest.fixture(autouse=True)
def _one_thread():
    """One thread, which is the fastest for products this small; the number is given back."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


class Deep(nn.Module):
    """An architecture that no closed form is for, 784-32-16-1, with a buffer of its own."""

    def __init__(self, seed, width=16):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(784, 32), nn.Tanh(), nn.Linear(32, width), nn.ReLU(), nn.Linear(width, 1)
        )
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.1, 0.1, generator=seeded(seed))
        self.register_buffer("gain", torch.tensor(1.0 + seed))

    def forward(self, x):
        return self.layers(x) * self.gain


MEMBERS = {
    "linear": lambda: [SimpleLinear(generator=seeded(k)) for k in range(4)],
    "equal": lambda: [SimpleMLP(8, generator=seeded(k)) for k in range(4)],
    "mixed": lambda: [SimpleMLP(h, generator=seeded(h)) for h in (5, 16, 1, 9)],
    "deep": lambda: [Deep(k) for k in range(4)],
    "deep mixed": lambda: [Deep(k, width) for k, width in enumerate((5, 16, 5, 9))],
}
RATES = [0.1, 1e-4, 0.5, 0.02]
MIXED = {
    "momentum": [0.9, 0.0, 0.5, 0.99],
    "weight_decay": [0.0, 0.1, 0.03, 0.0],
    "nesterov": [True, True, False, False],
}
SETTINGS = {
    "plain": {},
    "momentum": {"momentum": MIXED["momentum"]},
    "weight decay": {"weight_decay": MIXED["weight_decay"]},
    "nesterov": {"momentum": [0.9] * 4, "nesterov": [True] * 4},
    "mixed": MIXED,
}
every_kind = pytest.mark.parametrize("kind", MEMBERS)
every_setting = pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)


def double(kind):
    return [member.double() for member in MEMBERS[kind]()]


@pytest.fixture(params=["digits", "nothing shared", "all pixels equal"])
def view(request, images):
    """Images in float64: 150 real ones, and the two ends of what a Fold can meet."""
    noise = torch.randn(150, 784, generator=seeded(0), dtype=torch.float64)
    plain = {
        "digits": images.plain[:150].double(),
        "nothing shared": noise,
        "all pixels equal": noise[:, :1].expand(-1, 784),
    }[request.param]
    return in_float64(plain, images)


@pytest.fixture
def digits(images):
    """150 real images in float64."""
    return in_float64(images.plain[:150].double(), images)


def in_float64(plain, images):
    view = Images.of(plain, images.labels[:150, 0], 100)
    return replace(view, labels=view.labels.double())


def of(settings, members=slice(None)):
    """The optimiser of these members, in a cohort."""
    return Sgd.of(RATES[members], **{name: each[members] for name, each in settings.items()})


def optimiser_of(model, k, settings):
    """The optimiser of member k, in torch."""
    own = {name: values[k] for name, values in settings.items()}
    if not own.get("momentum"):
        own["nesterov"] = False  # which torch refuses without a momentum
    return torch.optim.SGD(model.parameters(), lr=RATES[k], **own)


def flat(model):
    return nn.utils.parameters_to_vector(model.parameters()).detach().clone()


def everyone(members):
    return torch.ones(len(members), dtype=torch.bool)


def steps(cohort, view, count, start=0):
    """Update on ``count`` different batches; the logits of the last."""
    for i in range(start, start + count):
        rows = torch.arange(i * 7, i * 7 + 60) % len(cohort.inputs)
        logits = cohort.step(cohort.inputs[rows], view.labels[rows])
    return logits


# --- the plain models -----------------------------------------------------------------------


def test_a_linear_model_starts_with_the_weights_of_nn_linear():
    """Under one seed the initial weights are those of torch's layer, bit for bit."""
    with torch.random.fork_rng():
        torch.manual_seed(11)
        layer = nn.Linear(784, 1)

    model = SimpleLinear(generator=seeded(11))

    assert torch.equal(model.linear.weight, layer.weight)
    assert torch.equal(model.linear.bias, layer.bias)


@pytest.mark.parametrize("hidden", [1, 2, 16, 37, 50, 99, 128, 500])
def test_an_mlp_starts_with_the_weights_of_two_nn_linears(hidden):
    """Both layers draw torch's own numbers in torch's own order, at every width."""
    with torch.random.fork_rng():
        torch.manual_seed(hidden)
        expected = nn.Sequential(nn.Linear(784, hidden), nn.Linear(hidden, 1))

    model = SimpleMLP(hidden, generator=seeded(hidden))

    assert torch.equal(flat(model), flat(expected))


@pytest.mark.parametrize("make", [SimpleLinear, SimpleMLP])
def test_without_a_generator_torchs_global_one_is_used(make):
    """``torch.manual_seed`` seeds a model that was given no generator."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = make()

    assert torch.equal(flat(model), flat(make(generator=seeded(3))))


def test_a_generator_leaves_the_global_random_state_alone():
    """Building a seeded model draws nothing from torch's global generator."""
    before = torch.get_rng_state()

    SimpleMLP(generator=seeded(0))

    assert torch.equal(torch.get_rng_state(), before)


def test_state_dicts_have_the_names_and_shapes_of_two_linear_layers():
    """Anyone can load the weights into plain layers."""
    linear, mlp = SimpleLinear().state_dict(), SimpleMLP(37).state_dict()

    assert {n: tuple(t.shape) for n, t in linear.items()} == {
        "linear.weight": (1, 784),
        "linear.bias": (1,),
    }
    assert {n: tuple(t.shape) for n, t in mlp.items()} == {
        "hidden.weight": (37, 784),
        "hidden.bias": (37,),
        "output.weight": (1, 37),
        "output.bias": (1,),
    }


def test_the_default_mlp_has_fifty_hidden_units():
    """The notebook's width is the default."""
    assert SimpleMLP().hidden.out_features == 50


def test_plain_logits_are_the_formulas(images):
    """xWᵀ + b, and relu(xWᵀ + b)Vᵀ + c."""
    x, linear, mlp = images.plain[:9], SimpleLinear(), SimpleMLP(7)
    hidden = (x @ mlp.hidden.weight.T + mlp.hidden.bias).clamp(min=0)

    assert_close(linear(x), x @ linear.linear.weight.T + linear.linear.bias)
    assert_close(mlp(x), hidden @ mlp.output.weight.T + mlp.output.bias)


# --- the fold -------------------------------------------------------------------------------


def test_the_digits_fold_784_columns_to_619_and_one_of_ones(images):
    """166 pixels of the 4s and 9s are constant together; the biases' column is last."""
    constant = (images.plain == images.plain[:, :1]).all(0)

    assert int(constant.sum()) == 166
    assert images.folded.shape == (11_791, 784 - 166 + 1 + 1)
    assert (images.folded[:, -1] == 1).all()


def test_a_folded_layer_answers_as_the_plain_one(view):
    """Folded images times folded columns are the layer's own answers."""
    layer = nn.Linear(784, 5).double()

    answers = view.folded @ view.fold.columns(layer)

    assert_close(answers, layer(view.plain), **EXACT)


def test_folding_and_unfolding_changes_no_weight(view):
    """A layer given its own columns keeps its weights, the constant pixels' too."""
    layer = nn.Linear(784, 5).double()
    before = flat(layer)

    view.fold.set_layer(layer, view.fold.columns(layer))

    assert_close(flat(layer), before, **EXACT)


def test_a_pixel_that_differs_in_one_image_is_not_folded(images):
    """The group is of pixels that are equal in every image."""
    plain = images.plain.clone()
    constant = (plain == plain[:, :1]).all(0).nonzero()[-1]
    plain[-1, constant] += 1

    assert not Fold(plain).same[constant]
    assert int(Fold(plain).same.sum()) == 165


# --- cohorts --------------------------------------------------------------------------------


@every_kind
@every_setting
def test_one_step_is_autograds(kind, settings, view):
    """Logits and updates are those of each plain model under its own optimiser."""
    members = double(kind)
    plain = deepcopy(members)
    x, labels = view.plain[BATCH], view.labels[BATCH]
    before = [flat(model) for model in plain]
    cohort = cohort_of(members, of(settings), view)

    logits = cohort.step(cohort.inputs[BATCH], labels)
    cohort.keep(everyone(members))

    expected = [
        plain_step(model, optimiser_of(model, k, settings), x, labels)
        for k, model in enumerate(plain)
    ]
    assert_close(logits, torch.cat(expected, 1), **EXACT)
    for k, rate in enumerate(RATES):
        gradient = (before[k] - flat(cohort.models([k])[0])) / rate
        assert_close(gradient, (before[k] - flat(plain[k])) / rate, **EXACT)


@every_kind
@every_setting
def test_many_steps_are_autograds(kind, settings, view):
    """The weights after six updates are those of the plain models, every layer moved."""
    members = double(kind)
    plain = deepcopy(members)
    cohort = cohort_of(members, of(settings), view)
    steps(cohort, view, 6)
    cohort.keep(everyone(members))

    for k, model in enumerate(plain):
        optimiser = optimiser_of(model, k, settings)
        for i in range(6):
            rows = torch.arange(i * 7, i * 7 + 60) % 150
            plain_step(model, optimiser, view.plain[rows], view.labels[rows])
        assert_close(flat(cohort.models([k])[0]), flat(model), rtol=1e-7, atol=1e-9)


def test_a_hidden_unit_at_exactly_zero_gets_no_gradient(digits):
    """At 0 the derivative of relu is torch's, 0."""
    members = double("equal")
    with torch.no_grad():
        members[0].hidden.weight[3] = members[0].hidden.bias[3] = 0
    cohort = cohort_of(members, of(SETTINGS["plain"]), digits)

    steps(cohort, digits, 1)
    cohort.keep(everyone(members))

    assert not cohort.models([0])[0].hidden.weight[3].any()
    assert not cohort.models([0])[0].hidden.bias[3].any()


@every_kind
@pytest.mark.parametrize("trained", [0, 20], ids=["initial", "trained"])
@pytest.mark.parametrize("settings", [{}, MIXED], ids=["plain", "mixed"])
def test_column_k_is_what_member_k_answers(kind, settings, trained, images):
    """In float32 on real images, the plain model that leaves gives its column's logits."""
    members = MEMBERS[kind]()
    cohort = cohort_of(members, of(settings), images)
    if trained:
        steps(cohort, images, trained)
    cohort.keep(everyone(members))

    logits = cohort.logits(cohort.inputs[-500:])

    assert logits.shape == (500, 4)
    for k in range(4):
        assert_close(logits[:, k], cohort.models([k])[0](images.plain[-500:])[:, 0], **ROUNDING)


@every_kind
def test_a_member_has_the_weights_last_kept_for_it(kind, digits):
    """Keeping some members leaves what was kept of the others."""
    cohort = cohort_of(double(kind), of(MIXED), digits)
    x = cohort.inputs[BATCH]
    steps(cohort, digits, 2)
    early = cohort.logits(x).clone()
    cohort.keep(torch.tensor([True, True, True, False]))
    steps(cohort, digits, 3, start=2)
    late = cohort.logits(x).clone()
    cohort.keep(torch.tensor([False, True, False, False]))
    steps(cohort, digits, 2, start=5)

    kept = [cohort.models([k])[0](digits.plain[BATCH])[:, 0] for k in range(4)]

    initial = double(kind)[3](digits.plain[BATCH])[:, 0]
    expected = [early[:, 0], late[:, 1], early[:, 2], initial]
    assert_close(torch.stack(kept), torch.stack(expected), **EXACT)


@every_kind
@pytest.mark.parametrize("settings", [{}, MIXED], ids=["plain", "mixed"])
def test_a_narrowed_cohort_is_the_cohort_of_those_that_stay(kind, settings, digits):
    """Who left was never there: same logits, same weights, for those that stay."""
    staying = torch.tensor([1, 3])
    cohort = cohort_of(double(kind), of(settings), digits)
    steps(cohort, digits, 3)
    cohort.narrow(staying)
    logits = steps(cohort, digits, 3, start=3)
    cohort.keep(everyone(staying))

    members = double(kind)
    alone = cohort_of([members[1], members[3]], of(settings, slice(1, 4, 2)), digits)
    assert_close(logits, steps(alone, digits, 6), **EXACT)
    alone.keep(everyone(staying))
    for k in range(2):
        assert_close(flat(cohort.models([k])[0]), flat(alone.models([k])[0]), **EXACT)


@every_kind
def test_narrowing_keeps_the_kept_weights(kind, digits):
    """What was kept before some left is still there afterwards, and twice over."""
    cohort = cohort_of(double(kind), of(MIXED), digits)
    steps(cohort, digits, 3)
    expected = cohort.logits(cohort.inputs[BATCH])[:, 2].clone()
    cohort.keep(torch.ones(4, dtype=torch.bool))

    cohort.narrow(torch.tensor([0, 2, 3]))
    steps(cohort, digits, 2, start=3)
    cohort.narrow(torch.tensor([1]))

    assert_close(cohort.models([0])[0](digits.plain[BATCH])[:, 0], expected, **EXACT)


def test_any_module_trains_as_the_closed_form_does(view):
    """ModuleCohort on SimpleLinear is LinearCohort, and on SimpleMLP it is MLPCohort."""
    for closed, kind in ((LinearCohort, "linear"), (MLPCohort, "equal")):
        fast = closed(double(kind), of(MIXED), view, products("torch"))
        general = ModuleCohort(double(kind), of(MIXED), view)
        logits = steps(fast, view, 10)
        assert_close(steps(general, view, 10), logits, rtol=1e-7, atol=1e-9)


def test_the_cohort_is_the_closed_form_where_there_is_one(digits):
    """A subclass may answer differently, so it goes the general way."""

    class Louder(SimpleLinear):
        def forward(self, x):
            return 2 * super().forward(x)

    kinds = [SimpleLinear(), SimpleMLP(3), Deep(0), Louder()]

    chosen = [type(cohort_of([member.double()], of({}, slice(1)), digits)) for member in kinds]
    mixed = cohort_of([Deep(0).double(), Deep(1, 4).double()], of({}, slice(2)), digits)

    assert chosen == [LinearCohort, MLPCohort, ModuleCohort, ModuleCohort]
    assert type(mixed) is MixedCohort


def test_a_buffer_belongs_to_its_member(digits):
    """Members that differ in a buffer alone answer differently, each as the plain module."""
    members = [Deep(0).double(), Deep(0).double()]
    members[1].gain.fill_(3.0)

    logits = ModuleCohort(members, of({}, slice(2)), digits).logits(digits.plain)

    assert_close(logits[:, 1], 3 * logits[:, 0], **EXACT)


def test_a_frozen_weight_of_any_module_stays(digits):
    """``requires_grad_(False)`` means to a cohort what it means to torch.optim.SGD."""
    members = [Deep(k).double() for k in range(2)]
    for member in members:
        member.layers[0].weight.requires_grad_(False)
    before = members[0].layers[0].weight.clone()
    cohort = cohort_of(members, of({}, slice(2)), digits)

    steps(cohort, digits, 3)
    cohort.keep(everyone(members))

    assert torch.equal(cohort.models([0])[0].layers[0].weight, before)


@every_kind
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_member_that_overflows_leaves_the_others_alone(kind, momentum, images):
    """One absurd learning rate is that member's own affair."""
    rates, settings = [1e30, 0.1, 0.1, 0.1], {"momentum": [momentum] * 3}
    absurd = {"momentum": [momentum] * 4}
    cohort = cohort_of(MEMBERS[kind](), Sgd.of(rates, **absurd), images)
    sane = cohort_of(MEMBERS[kind]()[1:], Sgd.of(rates[1:], **settings), images)

    logits = steps(cohort, images, 20)

    assert_close(logits[:, 1:], steps(sane, images, 20), rtol=1e-3, atol=1e-3)


class Either(nn.Module):
    """Its activation is an argument: the code differs, and no shape does."""

    def __init__(self, seed, activation):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(784, 6), nn.Linear(6, 1)])
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.1, 0.1, generator=seeded(seed))
        self.activation = activation

    def forward(self, x):
        return self.layers[1](self.activation(self.layers[0](x)))


def test_members_of_different_code_do_not_train_as_one(digits):
    """Each answers with its own activation; those of one activation share a call."""
    activations = [torch.relu, torch.tanh, torch.relu, nn.LeakyReLU(0.1)]
    members = [Either(k, each).double() for k, each in enumerate(activations)]
    plain = deepcopy(members)
    cohort = cohort_of(members, of(MIXED), digits)

    assert [places.tolist() for places, _ in cohort.parts] == [[0, 2], [1], [3]]
    steps(cohort, digits, 5)
    cohort.keep(everyone(members))

    for k, model in enumerate(plain):
        optimiser = optimiser_of(model, k, MIXED)
        for i in range(5):
            rows = torch.arange(i * 7, i * 7 + 60) % 150
            plain_step(model, optimiser, digits.plain[rows], digits.labels[rows])
        assert_close(flat(cohort.models([k])[0]), flat(model), rtol=1e-7, atol=1e-9)


def test_modules_that_one_factory_makes_alike_train_as_one(digits):
    """Also where they hold what can't be compared, such as a function of their own."""

    def factory(*, generator):
        return Either(generator.initial_seed(), lambda x: x.relu())

    model = Model("either", "either", factory)
    members = [build(model, {"learning_rate": 0.1}, seed=k) for k in range(3)]

    assert type(cohort_of(members, of({}, slice(3)), digits)) is ModuleCohort

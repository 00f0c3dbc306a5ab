"""The benchmark commands, on settings too small to time anything: do they say what is so?"""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
ROWS = ["plain", "processes", "vmap", "jax", "trainer-1", "trainer-n", "trainer-wide"]
ROWS += ["search-n", "command"]


def command(name, *options):
    """Run ``python -m benchmarks…``; one torch thread, for a machine that is shared."""
    return subprocess.run(
        [sys.executable, "-m", f"benchmarks{name}", "--quick", *map(str, options)],
        check=False,
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module", params=["linear", "mlp"])
def benchmark(request, tmp_path_factory):
    """(the ended command, its folder)."""
    out = tmp_path_factory.mktemp(request.param)
    return command("", "--models", request.param, "--out", out), out


@pytest.fixture
def table(benchmark):
    """The CSV that the command wrote."""
    return pd.read_csv(benchmark[1] / "benchmark.csv").set_index("key")


@pytest.mark.slow
def test_the_benchmark_ends_well_only_if_all_peers_reach_the_same_errors(benchmark):
    """Status 0 says that no row failed and that none differs from the reference."""
    ended, _ = benchmark

    assert ended.returncode == 0, ended.stderr[-2000:]
    assert "DIFFER" not in ended.stdout


@pytest.mark.slow
def test_every_peer_has_its_row_and_says_what_is_timed(table):
    """All are measured, JAX too; each names a clock, which the output explains."""
    from benchmarks.rows import CLOCKS

    assert list(table.index) == ROWS
    assert table["seconds_per_trial"].notna().all()
    assert set(table["clock"]) == set(CLOCKS)


@pytest.mark.slow
def test_ratios_follow_from_the_seconds(table):
    """Ratio, trials a second and GFLOP/s are all functions of seconds and of the work."""
    seconds = table["seconds_per_trial"].dropna()
    measured = table.loc[seconds.index]

    pd.testing.assert_series_equal(
        measured["ratio"], seconds["plain"] / seconds, check_names=False
    )
    pd.testing.assert_series_equal(measured["trials_per_second"], 1 / seconds, check_names=False)
    work = measured["gflop_per_s"] * seconds
    assert work.max() == pytest.approx(work.min())


@pytest.mark.slow
def test_the_figure_is_drawn(benchmark):
    """A PNG lies beside the CSV."""
    assert (benchmark[1] / "benchmark.png").read_bytes().startswith(b"\x89PNG")


def test_useful_arithmetic_is_counted_for_784_pixels():
    """The formula by hand: two or more products a step, and a forward one a validation."""
    from benchmarks.work import gflop

    linear = 5_000 * 2 * (2 * 100 * 784) + 100 * (2 * 1791 * 784)
    mlp = 5_000 * 2 * 100 * (2 * 784 * 50 + 3 * 50) + 100 * 2 * 1791 * (784 * 50 + 50)

    assert gflop("linear", 5_000) == pytest.approx(linear / 1e9)
    assert gflop("mlp", 5_000) == pytest.approx(mlp / 1e9)


def test_a_peer_that_does_less_is_found_out():
    """One trial two images off, at a learning rate that is not chaotic, is a difference."""
    from benchmarks.check import Reference, compare
    from benchmarks.rows import all_rows
    from benchmarks.table import Runs

    jax = next(row for row in all_rows(2, quick=True) if row.key == "jax")
    reference = Reference({0: 0.01, 1: 0.5}, {0: 40, 1: 40}, {})

    near = compare(Runs(jax, "linear", numbers=[0, 1], val_errors=[41, 99]), reference)
    far = compare(Runs(jax, "linear", numbers=[0, 1], val_errors=[42, 40]), reference)

    assert (near.agrees, far.agrees) == (True, False)
    assert near.compared == 1


def test_a_missing_peer_is_a_row_and_not_a_failure(monkeypatch):
    """Without JAX its peer says that it is absent."""
    from benchmarks.peers import jax
    from benchmarks.work import Absent, Work

    monkeypatch.setattr(jax, "find_spec", lambda name: None)

    with pytest.raises(Absent, match="JAX is not installed"):
        jax.run(Work("linear", ((0, 0.01),), 1, 100, 0))


@pytest.mark.parametrize("size", [(7, 30, 4), (30, 100, 5)], ids=["forward", "update in place"])
def test_every_engine_computes_the_same_product(size):
    """What is timed is a product: within float32's rounding, in the matrix that it is added to."""
    import torch

    from benchmarks.products import engines

    (m, k, n), in_place = size, size[1] == 100
    a = torch.randn(k, m).T if in_place else torch.randn(m, k)
    b, start = torch.randn(k, n), torch.randn(m, n)
    for engine, prepare in engines("cpu").items():
        c = start.clone()
        found = prepare(a, b, c, in_place)()
        answer = c if in_place else torch.as_tensor(found)
        torch.testing.assert_close(
            answer, a @ b + (start if in_place else 0), msg=lambda text, e=engine: f"{e}: {text}"
        )


def test_shares_are_of_the_best_engine_of_each_product():
    """Seconds add up: two products at 100 and 50 GFLOP/s, and a small one, by hand."""
    from benchmarks.table import Rates

    reached = {"forward": (100, 90), "update": (10, 50), "validation": (20, 40)}
    lines = [
        {"model": "linear", "members": 32, "jobs": 2, "product": product}
        | {"engine": engine, "gflop_per_s": rate}
        for product, rates in reached.items()
        for engine, rate in zip(("torch", "numpy"), rates, strict=True)
    ]
    flop = {"forward": 50 * 100, "update": 50 * 100, "validation": 1791}  # × D × K
    seconds = flop["forward"] / 100 + flop["update"] / 50 + flop["validation"] / 40

    rates = Rates(620, lines)

    assert rates.of("linear", 32, 2) == pytest.approx(sum(flop.values()) / seconds)
    assert list(rates.frame()["best"]) == ["torch", "numpy", "numpy"]


def test_a_schedule_by_hand():
    """Two workers: a long task, two short ones beside it, then what waits for them."""
    from benchmarks.cores import Stream, simulate

    streams = [
        Stream("search", (3.0,)),
        Stream("other search", (1.0, 1.0)),
        Stream("report", (1.0,), after=("search", "other search"), is_planner=True),
        Stream("confirmation", (2.0, 1.0), after=("search",)),
    ]

    found = simulate(streams, 2)

    # 0–3 search | 0–1, 1–2 other search; 3–4 report | 3–5 first, 4–5 second of the confirmation
    assert found.ends == {"other search": 2, "search": 3, "report": 4, "confirmation": 5}
    assert found.busy == 3 + 2 + 3
    assert found.training(streams) == 5


def test_more_workers_than_tasks_are_as_fast_as_the_longest_way():
    """A chain of streams takes the sum of its longest tasks, on any number of workers."""
    from benchmarks.cores import Stream, simulate

    streams = [Stream("a", (2.0, 1.0, 1.0)), Stream("b", (3.0, 1.0), after=("a",))]

    assert simulate(streams, 64).ends["b"] == 5
    assert simulate(streams, 1).ends["b"] == 8


def test_a_gpu_that_is_not_there_is_said_in_one_line():
    """Nothing is measured, and nothing fails."""
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    ended = command("", "--device", "cuda")

    assert (ended.returncode, ended.stdout.count("\n")) == (0, 1)
    assert "nothing was measured" in ended.stdout


@pytest.mark.parametrize("page", ["README.md", "docs/speed.md"])
def test_the_pages_show_what_was_measured(page):
    """Every number of speed is in a block that the CSVs give; nothing there is typed by hand."""
    from benchmarks.page import filled

    text = (ROOT / page).read_text(encoding="utf-8")

    assert filled(text) == text


@pytest.mark.slow
@pytest.mark.parametrize(("name", "stem"), [(".widths", "widths"), (".scaling", "scaling")])
def test_the_other_commands_write_their_tables(name, stem, tmp_path):
    """Widths has a line a model and width, scaling one a sampler and size."""
    ended = command(name, "--out", tmp_path)

    assert ended.returncode == 0, ended.stderr[-2000:]
    written = pd.read_csv(tmp_path / f"{stem}.csv")
    assert len(written) == {"widths": 2 * 2, "scaling": 2 * 2}[stem]
    assert (written.filter(like="second").to_numpy() > 0).all()


@pytest.mark.slow
def test_the_schedule_is_of_the_command_that_was_measured(tmp_path):
    """The command's times are in their order; more workers train no longer, one less idly."""
    ended = command(".cores", "--out", tmp_path)

    assert ended.returncode == 0, ended.stderr[-2000:]
    times = pd.read_csv(tmp_path / "answer.csv").set_index("event")["seconds"]
    assert times.drop("first report").is_monotonic_increasing
    schedule = pd.read_csv(tmp_path / "cores.csv").set_index("workers")
    assert list(schedule.index) == [1, 2, 4, 8, 16, 32]
    assert schedule["training_s"].is_monotonic_decreasing
    assert schedule["busy"].between(0, 1).all()


@pytest.mark.slow
def test_the_shortcuts_command_writes_a_line_a_measurement(tmp_path):
    """Four pruners of one seed, of which some prune; two models and two peers to the target."""
    ended = command(".shortcuts", "--out", tmp_path)

    assert ended.returncode == 0, ended.stderr[-2000:]
    pruning = pd.read_csv(tmp_path / "pruning.csv").set_index("pruner")["steps_share"]
    assert pruning["none"] == 1 > pruning["halving"]
    target = pd.read_csv(tmp_path / "target.csv")
    assert target[["model", "peer"]].value_counts().tolist() == [1, 1, 1, 1]


@pytest.mark.slow
def test_the_samplers_command_writes_a_line_a_search(tmp_path):
    """Two seeds of both models and three samplers, each looked at on as many holdout images."""
    ended = command(".samplers", "--jobs", 1, "--out", tmp_path)

    assert ended.returncode == 0, ended.stderr[-2000:]
    found = pd.read_csv(tmp_path / "samplers.csv")
    assert found[["model", "seed", "sampler"]].value_counts().tolist() == [1] * 12
    assert (found[["n_val", "n_holdout"]] == 1791).all(axis=None)
    assert found["holdout_errors"].between(1, 895).all()


def test_samplers_are_compared_seed_by_seed():
    """The mean difference and its standard error, by hand: 1, 2 and 6 images are 3 ± 1.53."""
    from benchmarks.samplers import differences

    errors = {"tpe": (21, 32, 46), "qmc": (20, 30, 40)}
    rows = [
        {"model": "mlp", "seed": seed, "sampler": name, "val_errors": n, "holdout_errors": -n}
        for name, found in errors.items()
        for seed, n in enumerate(found)
    ]

    found = differences(pd.DataFrame(rows)).loc["mlp", "tpe − qmc"]

    assert found.to_dict() == pytest.approx(
        {
            "validation": 3,
            "± validation": 7**0.5 / 3**0.5,
            "holdout": -3,
            "± holdout": 7**0.5 / 3**0.5,
        }
    )

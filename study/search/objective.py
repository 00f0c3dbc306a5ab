"""The Optuna objective that wraps the trainer, for a search of one's own."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import optuna

from study.dataset import Data
from study.errors import StudyError
from study.seeds import derive
from study.storage.machine import machine
from study.storage.manifest import NOT_OF_A_TRIAL, differences, manifest, trained_under
from study.storage.versions import TRAINED_WITH, other_than_begun, refused, versions_here
from study.training.images import images_of, pick_device
from study.training.plan import Plan
from study.training.protocol import Protocol, report_steps
from study.training.registry import build, default_space, model_named
from study.training.sgd import optimiser_of
from study.training.space import Space, is_former, suggest, whole
from study.training.trainer import train
from study.trials import TRAINED_UNDER, attributes, require_storable


class Objective:
    """An ordinary Optuna objective: ``study.optimize(Objective(...), n_trials=16)``.

    A trial has the value that ``python -m study.search`` gives it for the same seed, number and
    parameters, within float32 rounding; above a learning rate of about 0.2 training is chaotic.
    It reports ten validation errors, and stops where the study's pruner says.

    Args:
        model: A name in ``MODELS``: ``linear``, ``mlp``, or one that was registered.
        pair: The images.
        space: Each hyperparameter's distribution; by default the model's own.
        protocol: One trial's training; by default the usual one on this data.
        seed: For batches and initial weights.
        target: A validation error, a fraction; by default the model's own, if it has one.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        other_versions: Go on with a study that was begun with other versions than are here.
    """

    def __init__(
        self,
        model: str,
        pair: Data,
        *,
        seed: int,
        space: Space | None = None,
        protocol: Protocol | None = None,
        target: float | None = None,
        device: str = "auto",
        other_versions: bool = False,
    ) -> None:
        self.model = model_named(model)
        self.space = default_space(self.model) if space is None else whole(space)
        self.protocol = protocol or Protocol.of(pair)
        require_storable(self.protocol)
        self.seed = seed
        self.target = self.model.target if target is None else target
        self.device = pick_device(device)
        self.images = images_of(pair, self.device)
        self.data_sha256 = pair.digest
        self.other_versions = other_versions

    def __call__(self, trial: optuna.Trial) -> float:
        """Train the trial as a cohort of one; its lowest validation error, a fraction.

        Raises:
            optuna.TrialPruned: The study's pruner stopped it.
            StudyError: The study was searched with other settings or versions; the message names
                them.
        """
        plan = self._join(trial)
        configuration = suggest(self.space, trial)
        seed = derive(self.seed, "weights", trial.number)

        def prune(step: int, places: np.ndarray, errors: np.ndarray) -> list[int]:
            trial.report(float(errors[0]), step)
            return [0] if trial.should_prune() else []

        [history] = train(
            [build(self.model, configuration, seed=seed, inputs=self.images.inputs)],
            **optimiser_of([configuration]),
            images=self.images,
            protocol=self.protocol,
            seed=self.seed,
            engine=plan.engine,
            rungs=report_steps(self.protocol),
            prune=prune,
        )
        attrs = attributes(
            history,
            configuration,
            seed,
            self.target,
            cohort_numbers=[trial.number],
            first_of_generation=trial.number,
            value=history.final_error if history.pruned else history.val_error,
            former=plan.former,
        )
        for name, value in attrs.items():
            trial.set_user_attr(name, value)
        if history.pruned:
            raise optuna.TrialPruned
        return history.val_error

    def _join(self, trial: optuna.Trial) -> Plan:
        """Refuse a study that was searched otherwise; record in the trial how it is trained.

        Returns:
            How it is trained: with the engine and in the format of its study.
        """
        plan = Plan(
            self.model.name,
            self.space,
            self.protocol,
            seed=self.seed,
            target=self.target,
            device=self.device.type,
            inputs=self.images.inputs,
        )
        study = getattr(trial, "study", None)
        stored = study and manifest(study)
        if study is None or stored is None:
            return plan.settled()  # a FixedTrial has no study; one without a manifest is anyone's
        plan = plan.settled(stored)
        asked = json.loads(json.dumps(plan.manifest(self.data_sha256)))
        same = {name: stored[name] for name in NOT_OF_A_TRIAL if name in stored}
        words = differences(stored, asked | same)
        if words:
            raise StudyError(
                f"study {study.study_name!r}: was searched with other settings ({words}): "
                "give the objective those, or use another study"
            )
        own: dict[str, Any] = {TRAINED_UNDER: trained_under(stored)}
        for name, value in (own | self._versions(study, stored)).items():
            trial.storage.set_trial_system_attr(trial._trial_id, name, value)
        return replace(plan, former=is_former(stored["space"]))

    def _versions(self, study: optuna.Study, stored: dict[str, Any]) -> dict[str, dict[str, str]]:
        """What a trial says of the versions here, where its study was begun with others."""
        begun = other_than_begun(stored, machine(study))
        if begun and not self.other_versions:
            raise refused(study, begun)
        return {TRAINED_WITH: versions_here()} if begun else {}

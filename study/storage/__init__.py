"""Open, lock, read and append to a study's storage: an ordinary Optuna storage.

A study is read through :class:`study.storage.searched.Searched`, which inspects it, and is
appended to through :class:`study.storage.ledger.Ledger`, which holds its lock.
"""

from study.explain import explain, explaining
from study.storage.disk import require_room
from study.storage.ledger import Ledger, count_trials, record
from study.storage.lock import holder, lock
from study.storage.machine import machine
from study.storage.manifest import check_manifest, manifest, manifests, set_manifest
from study.storage.opening import create, has_study, load_study, open_study, study_names
from study.storage.reading import frozen_trials
from study.storage.safe_files import write_atomically
from study.storage.seal import Seal
from study.storage.urls import MAX_NAME, check_name, files, resolve
from study.storage.weights import MAKE_AGAIN, load_weights, save_weights

__all__ = [
    "MAKE_AGAIN",
    "MAX_NAME",
    "Ledger",
    "Seal",
    "check_manifest",
    "check_name",
    "count_trials",
    "create",
    "explain",
    "explaining",
    "files",
    "frozen_trials",
    "has_study",
    "holder",
    "load_study",
    "load_weights",
    "lock",
    "machine",
    "manifest",
    "manifests",
    "open_study",
    "record",
    "require_room",
    "resolve",
    "save_weights",
    "set_manifest",
    "study_names",
    "write_atomically",
]

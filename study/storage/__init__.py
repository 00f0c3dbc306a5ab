"""Open, lock, append to and read a study's storage: an ordinary Optuna storage.

One job a module: ``urls`` says where things lie, ``sqlite`` looks at a file without
touching it, ``structure`` and ``postgresql`` hold its tables to Optuna's and ``rows`` its rows
to each other, ``opening`` opens, ``lock`` keeps a second search out, ``recording`` appends
(through ``bulk`` where it can), ``manifest`` says what the study was and ``machine`` where,
``companions`` looks at the files beside it, ``weights`` keeps the models, ``seal`` keeps a
digest over all of it, ``reading`` reads what
may be damaged, and ``explain`` turns a failing disk or database into one line.
"""

from study.explain import explain, explaining
from study.storage.atomic import write_atomically
from study.storage.disk_space import require_room
from study.storage.holding import hold
from study.storage.lock import holder, lock
from study.storage.machine import machine
from study.storage.manifest import check_manifest, manifest, manifests, set_manifest
from study.storage.opening import has_study, load_study, open_study, study_names
from study.storage.reading import frozen_trials
from study.storage.recording import count_trials, is_atomic, record
from study.storage.seal import Seal, former_names, stored_seal
from study.storage.urls import MAX_NAME, check_name, files, resolve
from study.storage.weights import MAKE_AGAIN, load_weights, save_weights

__all__ = [
    "MAKE_AGAIN",
    "MAX_NAME",
    "Seal",
    "check_manifest",
    "check_name",
    "count_trials",
    "explain",
    "explaining",
    "files",
    "former_names",
    "frozen_trials",
    "has_study",
    "hold",
    "holder",
    "is_atomic",
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
    "stored_seal",
    "study_names",
    "write_atomically",
]

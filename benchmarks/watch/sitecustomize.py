"""Notes when training begins, in whichever process that is; Python runs this file as it starts.

With this folder in ``PYTHONPATH``, the first step of a process's first cohort adds a line to the
file that ``STUDY_FIRST_STEPS`` names: the time, in seconds since 1970. Nothing else is changed.
"""

import importlib.util
import os
import sys
import time


class Watch:
    """Finds the module of the cohorts, and wraps their steps once it is loaded."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name != "study.training.cohorts":
            return None
        sys.meta_path.remove(cls)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def load_and_wrap(module):
            load(module)
            for kind in (module.LinearCohort, module.MLPCohort):
                wrap(kind)

        spec.loader.exec_module = load_and_wrap
        return spec


def wrap(kind):
    """Note the first call of the class's ``step``, and give the class its own one back."""
    step = kind.step

    def first(self, *arguments):
        kind.step = step
        answer = step(self, *arguments)
        with open(os.environ["STUDY_FIRST_STEPS"], "a", encoding="utf-8") as file:
            file.write(f"{time.time()}\n")
        return answer

    kind.step = first


if "STUDY_FIRST_STEPS" in os.environ:
    sys.meta_path.insert(0, Watch)

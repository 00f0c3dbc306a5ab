"""How a cohort of models is trained: the protocol, the models, the trainer, and a task of it."""

"""Which of two small models errs less, once both are tuned fairly?"""

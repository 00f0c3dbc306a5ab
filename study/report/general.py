"""Sentences that are true of every study: what a figure shows, what a word or a method means.

Each stands here once, and sections take it from here. A blank, as ``{items}``, is filled with a
number, a name or what the data are called, never with a claim. All that may be true of one study
and false of another is worded where its condition is. ``tests/report/test_sentences.py`` holds
the sections to it.
"""

# The answer
FILLED = (
    "Filled: the error on held-out {items}, which played no part in the search, with its 95 %"
    " interval."
)
LOWEST = (
    "{The} lowest validation error is that of {trials} and of all the validations during their"
    " training, chosen on the very {items} that it is counted on. These {items} are one draw of"
    " many: its interval says how far another draw could move it, and allows neither for that"
    " choice nor for another seed."
)
OPTIMISM = (
    "Optimism is by how much the lowest validation error of a search lies below the error of its"
    " winner on held-out {items}."
)
EQUIVALENT = (
    "Models are equivalent in practice where two one-sided tests say that their errors differ by"
    " less than the margin, the largest difference that does not matter: see “Does it hold up?”."
)
HELD_OUT = (
    "The interval allows for the draw of the {items}, for seeds, and for the luck of each search."
)
SIMPLEST = (
    "The simplest trial: of those whose validation error is at most one standard error above the"
    " best one’s, the one with the smallest model and, of equal models, with the learning rate"
    " nearest the middle of theirs."
)
DIFFERENT_SEARCHES = "Filled and hollow marks are of different searches."
HOLLOW = "Hollow: the lowest validation error of the study’s own search, of {trials}."
LOWEST_ALT = "lowest validation error of its own search {error}, interval {ends}"
ANSWER_ALT = "Dot plot of errors with their intervals"

# Does it hold up?
RULE = (
    "The rule: of two models, one is better where the 95 % interval of the difference of their"
    " errors on held-out {items} excludes 0. If neither is, they are equivalent where two"
    " one-sided tests at 5 % reject a difference of a margin or more either way, and otherwise"
    " not separated."
)
RULE_OF_PAIRS = (
    "The rule: of two models, one is better where the p value of the difference of their errors"
    " on held-out {items}, after Holm’s correction for {pairs} pairs, is below 0.05. If neither"
    " is, they are equivalent where two one-sided tests, at 5 % divided by the number of pairs,"
    " reject a difference of a margin or more either way, and otherwise not separated."
)
CORRECTED = (
    "With {pairs} pairs, one of them may differ by chance alone. So the p values are corrected"
    " by Holm’s method, and each interval is Bonferroni’s, of {each}: all of them together hold"
    " the true differences with 95 % confidence."
)
MARGIN = "The margin is the largest difference that does not matter in practice, here {words}."
WHY_RELATIVE = (
    "It is relative, since a quarter of a percentage point is little beside an error of 3 % and"
    " nearly all of one of 0.3 %."
)
POWER = (
    "Power is how often a design finds a difference that is there; the probabilities are those"
    " of the correlated Bayesian t-test, which favours no model beforehand."
)
TIES = "(a tie counts ½; probability {probability}, 95 % interval {ends})"
OF_PAIRS = (
    "Found with 80 % power: the smallest difference, in percentage points. First or second"
    " better: the probability that it errs less by more than the margin. First errs less: in so"
    " many of the splits, a tie counting ½."
)
REPEATED = (
    "To judge the models, each search was made again {splits} times, with {trials}, each time with"
    " other {items} held out."
)
SEARCH_MADE = "a search of {trials} was made"
DESCRIBED = (
    "Described, not judged: what follows is of the best trials of the studies’ own searches. It"
    " is counted on the validation {items}, which chose them, and does not enter the verdict."
)
REPLICATE = (
    "A replicate trains a trial’s hyperparameters again on a fresh seed: with initial weights"
    " and a batch order that the search never saw. Each best trial has {seeds}, and all models"
    " share a seed’s batches. Their agreement shows stability and is no independent confirmation."
)
MCNEMAR = (
    "McNemar’s test looks at the {items} that one of two models gets wrong and the other right."
    " Its mid-p is the probability of counts at least as uneven, if both models err alike, where"
    " those that were seen count half."
)
MCNEMARS = "The tests of all pairs of replicates of one seed are in tables/mcnemar.csv."
REPLICATES = (
    "A dot is a seed; equal errors are heaped. Ringed: the trial of the search itself. At the"
    " best step a run is measured where it happened to be lowest, at the last step where it ends."
)
ON_SEEDS_ALT = "at the best step, the best of the search"
REPLICATES_ALT = "Strip plot of validation errors, a dot a seed."
SPLITS = (
    "A thin line is one search on one split of the {items}; the thick one is their mean. What"
    " its right end lies above the left one is the optimism."
)
OPTIMISM_ALT = "percentage points against validation"
SPLITS_ALT = (
    "Slope chart of {splits} searches a model, from the lowest validation error to the error of"
    " the same winner on held-out {items}."
)
BEST_TRIALS = (
    "McNemar’s mid-p = {mid_p} (exact p = {exact_p}); the difference of the two errors is {gap}"
    " percentage points (95 % interval, paired: {ends})."
)
CROSS_CHECK = (
    "The bootstrap cross-check draws the validation {items} anew, chooses the best trial by"
    " them, and counts its errors on those that were not drawn; nothing is trained."
)
STRANGERS = (
    "What no split tells: the writers of the digits lie on both sides of each, so nothing here"
    " says how the models do on the handwriting of strangers."
)
FROM_ELSEWHERE = (
    "What no split tells: all {items} come from one collection, so nothing here says how the"
    " models do on {items} from elsewhere."
)

# The data
SPLIT = "the first {train} train, the rest validate."
TEST_SET = "The official test set was neither read nor downloaded."
ONE_DRAW = (
    "The {items} that validate are one draw of many: another may be easier or harder, for all"
    " models at once."
)
ONE_RANGE = "All on one colour range."
RAW_PIXELS = (
    "Raw pixels are shown in units of the standard deviation of all training pixels, from their"
    " mean"
)
EXAMPLES_ALT = "The first training images of each class"
ON_ONE_RANGE_ALT = "all on one colour range."

# Hyperparameters
LEVEL = "{model}: in the trials level with the best, the"
LEVEL_AND_NEAR = (
    "Level with the best: at most one standard error of its error above it. Near an end: within"
    " a tenth of the range, on the scale that was searched."
)
EVERY_TRIAL = "Every trial is a mark."
SHADED = (
    "Shaded: trials within one standard error of their model’s best, too close to call on these"
    " {items}."
)
AGAINST_RATE_ALT = (
    "Scatter plot of every trial’s lowest validation error against its learning rate, both axes"
    " logarithmic."
)
AGAINST_ALT = (
    "Scatter plot of the lowest validation error of each trial of {models} against its {name}."
)
LOWEST_AT = "{model}: the lowest, {error}, is at {value}."
PAIR_COLOURS = (
    "The darker, the fewer errors; from four times the lowest on, all are equally light. Ringed:"
    " the lowest. Crossed: diverged or pruned."
)
PAIR_ALT = (
    "Scatter plot of the trials of {model} by {across} and {up}, coloured by error. The lowest,"
    " {error}, is at {place}."
)

# The search
TRIAL_TABLE = (
    "The step and the loss are those of the lowest validation error. Level with the best: at most"
    " one standard error of its error above it, on these {items}."
)
BEST_OF_SEARCH = (
    "{model}: the best of {trials} is number {number} ({parameters}), at step {step} of {steps}."
)
HISTORY = "Marks: trials. Line: the lowest error so far."
HISTORY_ALT = (
    "Every trial’s lowest validation error in the order they were run, with a line for the best"
    " so far."
)
EXPECTED = (
    "Draw n of a study’s trials at random: this is the lowest validation error that they hold on"
    " average, up to half of all trials, beyond which too few draws are left to average."
)
EXPECTED_ALT = "Line plot of the expected lowest validation error against the number of trials."
EXPECTED_BEST = "{model}: {error} of {trials}, {time}."
PED_ANOVA = (
    "By Optuna’s PED-ANOVA: how unlike a parameter’s values in the best tenth of the trials are"
    " to its values in all of them. It ranks what this search varied in the ranges that it"
    " searched."
)

# Training
CURVES = (
    "The grey line is one training batch of {batch} {items} a point, before the step’s update,"
    " so it jumps; the coloured line is all validation {items}, after it. A search keeps the step"
    " with the fewest validation errors (ringed)."
)
CURVES_ALT = (
    "Learning curves: loss and error on training batches and on the validation {items}, step by"
    " step."
)
CURVE_ALT = (
    "Trial {number}, the best of {model}: the lowest validation error, {lowest}, is at step {step}"
    " of {steps}; at the end it is {last}."
)

# Weights
WEIGHTS_ALT = (
    "The weights of trial {number}, the best of {model}, as a {high} by {wide} image on a"
    " diverging scale."
)
WEIGHTS = (
    "{Ink} on a green pixel is evidence for {second}, on a purple one for {first}; pale pixels"
    " hardly count. The model adds these up, and nothing else."
)
UNITS_ALT = (
    "The incoming weights of {shown} hidden units of trial {number}, the best of {model}, each a"
    " {high} by {wide} image on one diverging scale."
)
UNITS = (
    "Those with the largest outgoing weights, largest first. A unit fires when {ink} falls on"
    " its green pixels; then it argues for {second} (+) or for {first} (−)."
)
COEFFICIENTS_ALT = (
    "Bar chart of the largest weights of trial {number}, the best of {model}: {largest}."
)
COEFFICIENTS = (
    "A high value in a column with a green bar is evidence for {second}, with a purple bar for"
    " {first}."
)
UNIT_COLUMNS_ALT = (
    "Heat map of the incoming weights of {units} hidden units of trial {number}, the best of"
    " {model}, from {shown} of {columns} columns."
)
UNIT_COLUMNS = (
    "The units with the largest outgoing weights, largest first, and the columns that they weigh"
    " most. A unit fires when its green columns are high and its purple ones low; then it argues"
    " for {second} (+) or for {first} (−)."
)

# Predictions and mistakes
PREDICTIONS = (
    "The probability that each winner gives to the right class, with its initial weights and"
    " with those of its best step."
)
MISREAD = (
    "Each row says what it is, what the model took it for, and the probability that the model"
    " gave to its own, wrong, answer where the weights are there."
)
MISREAD_PICTURES = (
    "Below each picture: what it is, and what it was taken for. The picture’s own text, shown when"
    " one points at it, adds the probability that each model gave to its wrong answer where the"
    " weights are there."
)
PAIRED_COUNTS = (
    "{First} alone errs on {only_first} {items}, {second} alone on {only_second}, both on"
    " {both}, neither on {neither}. The difference of the two errors is {gap} percentage points"
    " (95 % interval, paired: {ends}; McNemar’s mid-p = {p}), for these two trained models as"
    " they stand: choosing them on these {items} is not allowed for."
)
ALL_PAIRED = (
    "For these trained models as they stand: choosing them on these {items} is not allowed for,"
    " and neither intervals nor p are corrected for the number of pairs."
)
BY_CLASS = "Of the {items} of one class, those that a model takes for the other."
SCORES = "Of the best trials, on the validation {items} that chose them: described, not judged."
AREA = (
    "The area under the ROC curve is how often, of two {items} of different classes, the {second}"
    " gets the higher probability of it. The Brier score is a probability’s mean squared error."
)
SURE = "Probabilities to be trusted err on 1 to 10 % of what a model is 90 to 99 % sure of."

# Was it a fair comparison?
ALL_THE_SAME = (
    "The data, the steps of a trial, the size of a batch and the steps that are validated are"
    " the same for all: studies that differ in them are not put on one page."
)
MORE_TRIALS = "The more trials, the lower their lowest error tends to be, by luck alone:"

# How to reproduce it
SAME_BITS = (
    "With the same versions, on the same kind of processor, these commands give the same trials,"
    " bit for bit."
)
DATA_DIGEST = "SHA-256 of the {items} and labels: {digest}"
TRIALS_DIGEST = (
    "The trials’ digest is a SHA-256 over the stored digest of every trial, in order, a line"
    " each; where the storage is a file, the last commands print it."
)

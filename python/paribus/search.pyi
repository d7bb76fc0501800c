# SPDX-License-Identifier: Apache-2.0
# Made from the manifests of kind search.
from collections.abc import Sequence
from typing import Literal

from .parts import Part

class Asha(Part):
    """successive halving that never waits for a rung (Li et al. 2020)

    trials: int = 27: how many points
    min_epochs: int = 1 [epochs]: least epochs before any is dropped
    reduction: int = 3: one in so many goes on; eta in the paper
    sampler: string = 'random': how points are drawn; one of random, sobol
    at_once: int = 4: jobs under way at a time: the most that -j can use
    """

    def __init__(
        self,
        *,
        trials: int = ...,
        min_epochs: int = ...,
        reduction: int = ...,
        sampler: Literal["random", "sobol"] = ...,
        at_once: int = ...,
    ) -> None: ...

ASHA = Asha

class Grid(Part):
    """every combination of the listed values"""

    def __init__(
        self,
    ) -> None: ...

GRID = Grid

class Hyperband(Part):
    """successive halving with many points and few epochs, then fewer and more (Li et al. 2018)

    min_epochs: int = 1 [epochs]: least epochs before any is dropped
    reduction: int = 3: one in so many goes on; eta in the paper
    rounds: int = 1: how often all brackets are gone through
    sampler: string = 'random': how points are drawn; one of random, sobol
    at_once: int = 4: jobs under way at a time: the most that -j can use
    """

    def __init__(
        self,
        *,
        min_epochs: int = ...,
        reduction: int = ...,
        rounds: int = ...,
        sampler: Literal["random", "sobol"] = ...,
        at_once: int = ...,
    ) -> None: ...

class LatinHypercube(Part):
    """evenly spread points, each value of an axis in a cell of its own (McKay et al. 1979)

    trials: int = 20: how many points
    centred: bool = False: values from the middle of their cells, not from anywhere in them
    """

    def __init__(
        self,
        *,
        trials: int = ...,
        centred: bool = ...,
    ) -> None: ...

class MedianStopping(Part):
    """stops what is worse than the median of what came before (Golovin et al. 2017)

    trials: int = 20: how many points
    every: int = 1 [epochs]: epochs from one decision to the next
    grace: int = 1 [epochs]: epochs that every point is trained for
    quorum: int = 3: no point is stopped before so many others are through that got as far
    sampler: string = 'random': how points are drawn; one of random, sobol
    at_once: int = 4: jobs under way at a time: the most that -j can use
    """

    def __init__(
        self,
        *,
        trials: int = ...,
        every: int = ...,
        grace: int = ...,
        quorum: int = ...,
        sampler: Literal["random", "sobol"] = ...,
        at_once: int = ...,
    ) -> None: ...

class Optuna(Part):
    """what Optuna proposes: TPE, Gaussian processes, CMA-ES, NSGA-II, several objectives

    sampler: string = 'tpe': what proposes points; one of tpe, gp, cmaes, nsga2, random
    trials: int = 20: how many points
    startup: int = 10: random points before tpe or gp begin
    population: int = 50: points of a generation of nsga2
    objectives: string = '': metrics that count besides the study's own, with commas between
    pruner: string = 'none': what stops points early; one of none, median, successive_halving, hyperband
    every: int = 1 [epochs]: with a pruner, epochs from one decision to the next
    grace: int = 1 [epochs]: with a pruner, epochs that every point is trained for
    storage: string = '': URL of a database that gets a copy of every trial, for Optuna's own tools
    study: string = 'paribus': name of the study in that database
    timeout: int = 300 [s]: how long Python may take for an answer
    at_once: int = 4: jobs under way at a time: the most that -j can use
    """

    def __init__(
        self,
        *,
        sampler: Literal["tpe", "gp", "cmaes", "nsga2", "random"] = ...,
        trials: int = ...,
        startup: int = ...,
        population: int = ...,
        objectives: str = ...,
        pruner: Literal["none", "median", "successive_halving", "hyperband"] = ...,
        every: int = ...,
        grace: int = ...,
        storage: str = ...,
        study: str = ...,
        timeout: int = ...,
        at_once: int = ...,
    ) -> None: ...

class Pbt(Part):
    """a population whose worst go on from copies of its best (Jaderberg et al. 2017)

    population: int = 8: points that are trained side by side
    every: int = 1 [epochs]: epochs of a generation
    quantile: float = 0.25: the share that is replaced, and that replaces it; one point at least
    factors: list = [0.8, 1.2]: a perturbed value is multiplied by one of these; of a list, below 1 the entry before, above 1 the next
    resample: float = 0.25: probability that a value is drawn anew instead
    sampler: string = 'random': how the first points are drawn; one of random, sobol
    at_once: int = 8: jobs under way at a time: the most that -j can use
    """

    def __init__(
        self,
        *,
        population: int = ...,
        every: int = ...,
        quantile: float = ...,
        factors: Sequence[float] = ...,
        resample: float = ...,
        sampler: Literal["random", "sobol"] = ...,
        at_once: int = ...,
    ) -> None: ...

PBT = Pbt

class Random(Part):
    """independent points, uniform or log-uniform (Bergstra and Bengio 2012)

    trials: int = 20: how many points
    """

    def __init__(
        self,
        *,
        trials: int = ...,
    ) -> None: ...

class Sobol(Part):
    """evenly spread points: Sobol's sequence, scrambled (Owen 1995)

    trials: int = 32: how many points; best a power of two
    scramble: bool = True: flip digits at random, which keeps the evenness; off: the sequence as it is, with the lower end of every range as its first point
    """

    def __init__(
        self,
        *,
        trials: int = ...,
        scramble: bool = ...,
    ) -> None: ...

class SuccessiveHalving(Part):
    """trains many points a little and the best ones on (Jamieson and Talwalkar 2016)

    trials: int = 27: points in the first rung
    min_epochs: int = 1 [epochs]: least epochs before any is dropped
    reduction: int = 3: one in so many goes on; eta in the paper
    sampler: string = 'random': how points are drawn; one of random, sobol
    at_once: int = 4: jobs under way at a time: the most that -j can use
    """

    def __init__(
        self,
        *,
        trials: int = ...,
        min_epochs: int = ...,
        reduction: int = ...,
        sampler: Literal["random", "sobol"] = ...,
        at_once: int = ...,
    ) -> None: ...

class Zip(Part):
    """all axes advance together"""

    def __init__(
        self,
    ) -> None: ...

ZIP = Zip

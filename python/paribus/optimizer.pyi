# SPDX-License-Identifier: Apache-2.0
# Made from the manifests of kind optimizer.
from typing import Literal

from .alone import OptimizerPart
from .parts import Part

class Adafactor(OptimizerPart):
    """Adam's root from rows and columns (Shazeer and Stern 2018)

    lr: float = 0.01: the largest relative rate
    decay: float = -0.8: power of t by which new squares count
    eps: float = 0.001: the least length of weights that a step is measured by
    clip: float = 1.0: the largest root mean square of a step
    weight_decay: float = 0.0: decoupled: w *= 1 - lr weight_decay
    """

    def __init__(
        self,
        *,
        lr: float = ...,
        decay: float = ...,
        eps: float = ...,
        clip: float = ...,
        weight_decay: float = ...,
    ) -> None: ...

class Adagrad(OptimizerPart):
    """gradients over the root of the sum of their squares (Duchi et al. 2011)

    lr: float = 0.01: learning rate
    lr_decay: float = 0.0: the rate falls as 1 / (1 + (t - 1) lr_decay)
    initial: float = 0.0: what the sum begins with
    eps: float = 1e-10: added to the root, against division by zero
    weight_decay: float = 0.0: L2: times the weight, joins the gradient
    """

    def __init__(
        self,
        *,
        lr: float = ...,
        lr_decay: float = ...,
        initial: float = ...,
        eps: float = ...,
        weight_decay: float = ...,
    ) -> None: ...

class Adam(OptimizerPart):
    """adaptive moments (Kingma and Ba 2015), AMSGrad on request

    lr: float = 0.001: learning rate
    beta1: float = 0.9: decay of the gradients' average
    beta2: float = 0.999: decay of their squares' average
    eps: float = 1e-08: added to the root, against division by zero
    weight_decay: float = 0.0: L2: times the weight, joins the gradient
    amsgrad: bool = False: divide by the largest average of squares so far
    """

    def __init__(
        self,
        *,
        lr: float = ...,
        beta1: float = ...,
        beta2: float = ...,
        eps: float = ...,
        weight_decay: float = ...,
        amsgrad: bool = ...,
    ) -> None: ...

ADAM = Adam

class AdamW(OptimizerPart):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019), AMSGrad on request

    lr: float = 0.001: learning rate
    beta1: float = 0.9: decay of the gradients' average
    beta2: float = 0.999: decay of their squares' average
    eps: float = 1e-08: added to the root, against division by zero
    weight_decay: float = 0.01: decoupled: w *= 1 - lr weight_decay
    amsgrad: bool = False: divide by the largest average of squares so far
    """

    def __init__(
        self,
        *,
        lr: float = ...,
        beta1: float = ...,
        beta2: float = ...,
        eps: float = ...,
        weight_decay: float = ...,
        amsgrad: bool = ...,
    ) -> None: ...

class Lamb(OptimizerPart):
    """Adam's direction, as long as the weights are (You et al. 2020)

    lr: float = 0.001: learning rate
    beta1: float = 0.9: decay of the gradients' average
    beta2: float = 0.999: decay of their squares' average
    eps: float = 1e-06: added to the root, against division by zero
    weight_decay: float = 0.01: times the weight, joins the step before its length is set
    """

    def __init__(
        self,
        *,
        lr: float = ...,
        beta1: float = ...,
        beta2: float = ...,
        eps: float = ...,
        weight_decay: float = ...,
    ) -> None: ...

LAMB = Lamb

class Lars(OptimizerPart):
    """momentum with a rate for each layer (You et al. 2017)

    lr: float = 1.0: learning rate
    momentum: float = 0.9: share of the velocity that stays
    trust: float = 0.001: length of a step in lengths of the weights
    weight_decay: float = 0.0: L2: times the weight, joins the gradient
    """

    def __init__(
        self,
        *,
        lr: float = ...,
        momentum: float = ...,
        trust: float = ...,
        weight_decay: float = ...,
    ) -> None: ...

LARS = Lars

class Lion(OptimizerPart):
    """signs of an average of gradients (Chen et al. 2023)

    lr: float = 0.0001: learning rate
    beta1: float = 0.9: share of the average in a step
    beta2: float = 0.99: decay of the gradients' average
    weight_decay: float = 0.0: decoupled: w *= 1 - lr weight_decay
    """

    def __init__(
        self,
        *,
        lr: float = ...,
        beta1: float = ...,
        beta2: float = ...,
        weight_decay: float = ...,
    ) -> None: ...

LION = Lion

class Lookahead(OptimizerPart):
    """k steps forward, one step back (Zhang et al. 2019), around any optimizer

    inner: part = 'sgd': the optimizer that makes the steps
    k: int = 5: inner steps for each slow one
    alpha: float = 0.5: share of the way that the slow weights go
    evaluate: string = 'slow': the weights that are validated; one of slow, fast
    """

    def __init__(
        self,
        *,
        inner: Part | str = ...,
        k: int = ...,
        alpha: float = ...,
        evaluate: Literal["slow", "fast"] = ...,
    ) -> None: ...

class Muon(OptimizerPart):
    """orthogonal momentum for hidden matrices (Jordan et al. 2024)

    lr: float = 0.02: learning rate of the matrices
    momentum: float = 0.95: decay of the gradients' average
    weight_decay: float = 0.0: decoupled: w *= 1 - lr weight_decay
    nesterov: bool = True: look one average ahead
    last: bool = False: the last matrix, too, which gives the outputs
    iterations: int = 5: of Newton and Schulz
    adjust: string = 'original': what a rate means: sqrt(max(1, rows / columns)), or 0.2 sqrt(max(rows, columns)); one of original, match_rms_adamw
    precision: string = 'fp32': of the iterations; bf16 is PyTorch's; one of fp32, bf16
    rest: part = 'adamw': the optimizer of what isn't a hidden matrix
    """

    def __init__(
        self,
        *,
        lr: float = ...,
        momentum: float = ...,
        weight_decay: float = ...,
        nesterov: bool = ...,
        last: bool = ...,
        iterations: int = ...,
        adjust: Literal["original", "match_rms_adamw"] = ...,
        precision: Literal["fp32", "bf16"] = ...,
        rest: Part | str = ...,
    ) -> None: ...

MUON = Muon

class RAdam(OptimizerPart):
    """Adam, rectified while its variance is large (Liu et al. 2020)

    lr: float = 0.001: learning rate
    beta1: float = 0.9: decay of the gradients' average
    beta2: float = 0.999: decay of their squares' average
    eps: float = 1e-08: added to the root, against division by zero
    weight_decay: float = 0.0: decoupled: w *= 1 - lr weight_decay
    """

    def __init__(
        self,
        *,
        lr: float = ...,
        beta1: float = ...,
        beta2: float = ...,
        eps: float = ...,
        weight_decay: float = ...,
    ) -> None: ...

class Ranger(OptimizerPart):
    """RAdam inside Lookahead on centralized gradients (Wright 2019)

    inner: part = 'radam': the optimizer that makes the steps
    k: int = 6: inner steps for each slow one
    alpha: float = 0.5: share of the way that the slow weights go
    centralize: bool = True: take the mean off gradients
    """

    def __init__(
        self,
        *,
        inner: Part | str = ...,
        k: int = ...,
        alpha: float = ...,
        centralize: bool = ...,
    ) -> None: ...

class RmsProp(OptimizerPart):
    """gradients over the root of their mean square (Hinton 2012)

    lr: float = 0.01: learning rate
    alpha: float = 0.99: decay of the squares' average
    eps: float = 1e-08: added to the root, against division by zero
    momentum: float = 0.0: share of the velocity that stays
    weight_decay: float = 0.0: L2: times the weight, joins the gradient
    centered: bool = False: divide by the deviation from the mean
    """

    def __init__(
        self,
        *,
        lr: float = ...,
        alpha: float = ...,
        eps: float = ...,
        momentum: float = ...,
        weight_decay: float = ...,
        centered: bool = ...,
    ) -> None: ...

class Sam(OptimizerPart):
    """gradients from where the loss is worst nearby (Foret et al. 2021)

    inner: part = 'sgd': the optimizer that makes the steps
    rho: float = 0.05: how far from the weights to look; 0: off
    adaptive: bool = False: farther along larger weights (ASAM)
    """

    def __init__(
        self,
        *,
        inner: Part | str = ...,
        rho: float = ...,
        adaptive: bool = ...,
    ) -> None: ...

SAM = Sam

class ScheduleFree(OptimizerPart):
    """averages in place of a schedule (Defazio et al. 2024)

    inner: part = 'sgd': the optimizer that makes the steps
    beta: float = 0.9: where between z (0) and x (1) to train
    weight_decay: float = 0.0: decoupled: z -= lr weight_decay y
    lr_power: float = 2.0: power of the largest rate by which a step counts
    power: float = 0.0: power of t by which a step counts
    """

    def __init__(
        self,
        *,
        inner: Part | str = ...,
        beta: float = ...,
        weight_decay: float = ...,
        lr_power: float = ...,
        power: float = ...,
    ) -> None: ...

class Sgd(OptimizerPart):
    """stochastic gradient descent, with momentum, Nesterov's too

    lr: float = 0.1: learning rate
    momentum: float = 0.0: share of the velocity that stays
    dampening: float = 0.0: share of the gradient kept from it
    weight_decay: float = 0.0: L2: times the weight, joins the gradient
    nesterov: bool = False: look one velocity ahead; acts with momentum only
    """

    def __init__(
        self,
        *,
        lr: float = ...,
        momentum: float = ...,
        dampening: float = ...,
        weight_decay: float = ...,
        nesterov: bool = ...,
    ) -> None: ...

SGD = Sgd

class Soap(OptimizerPart):
    """Adam in the eigenbasis of Shampoo's matrices (Vyas et al. 2024)

    lr: float = 0.003: learning rate
    beta1: float = 0.95: decay of the gradients' average
    beta2: float = 0.95: decay of squares' and matrices' averages
    eps: float = 1e-08: added to the root, against division by zero
    weight_decay: float = 0.01: decoupled: w *= 1 - lr weight_decay
    every: int = 10 [step]: updates from one basis to the next
    max_dim: int = 10000: larger sides have no basis
    """

    def __init__(
        self,
        *,
        lr: float = ...,
        beta1: float = ...,
        beta2: float = ...,
        eps: float = ...,
        weight_decay: float = ...,
        every: int = ...,
        max_dim: int = ...,
    ) -> None: ...

SOAP = Soap

class Sophia(OptimizerPart):
    """steps cut by a cheap look at the curvature (Liu et al. 2024)

    lr: float = 0.001: learning rate
    beta1: float = 0.965: decay of the gradients' average
    beta2: float = 0.99: decay of the curvature's average
    rho: float = 0.04: the smaller, the more steps are cut to 1
    weight_decay: float = 0.1: decoupled: w *= 1 - lr weight_decay
    every: int = 10 [step]: updates from one look at the curvature to the next
    """

    def __init__(
        self,
        *,
        lr: float = ...,
        beta1: float = ...,
        beta2: float = ...,
        rho: float = ...,
        weight_decay: float = ...,
        every: int = ...,
    ) -> None: ...

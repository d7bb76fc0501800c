# SPDX-License-Identifier: Apache-2.0
# Made from the manifests of kind tracker.

from .parts import Part

class Csv(Part):
    """a CSV file per trial, a line per point

    folder: string = '': where to, seen from the study's directory; empty: trackers/ and the tracker's name
    """

    def __init__(
        self,
        *,
        folder: str = ...,
        name: str = ...,
    ) -> None: ...

CSV = Csv

class Mlflow(Part):
    """MLflow: a run per trial, below one for the study

    uri: string = '': the server's address; empty: MLFLOW_TRACKING_URI
    experiment: string = '': its name; empty: MLFLOW_EXPERIMENT_NAME, else that of the study
    tags: string = '': of every run: `name=value`, with commas between them
    artifacts: bool = True: whether study.toml, config.json, result.json, output.txt, pictures and the report go with the runs
    weights: bool = False: whether a trial's last weights go with its run
    """

    def __init__(
        self,
        *,
        uri: str = ...,
        experiment: str = ...,
        tags: str = ...,
        artifacts: bool = ...,
        weights: bool = ...,
        name: str = ...,
    ) -> None: ...

class TensorBoard(Part):
    """TensorBoard's event files: scalars, histograms, images and hparams

    folder: string = '': where to, seen from the study's directory; empty: trackers/ and the tracker's name
    """

    def __init__(
        self,
        *,
        folder: str = ...,
        name: str = ...,
    ) -> None: ...

class Wandb(Part):
    """Weights & Biases: a run per trial, of one group

    entity: string = '': user or team; empty: WANDB_ENTITY, else the key's own
    project: string = '': empty: WANDB_PROJECT, else the study's name
    group: string = '': of the study's runs; empty: the study's name
    job_type: string = 'train': of the runs
    tags: string = '': of the runs, with commas between them
    notes: string = '': on the runs; empty: the study's question
    base_url: string = '': the server's address; empty: WANDB_BASE_URL, else W&B's own
    files: bool = True: whether study.toml, configuration, summary and report go as files, too
    console: bool = True: whether what a trial prints goes, too
    weights: bool = False: whether a trial's last weights go as a file, too
    rate: float = 1.0 [1/s]: the most requests for all trials together, after the first ten
    """

    def __init__(
        self,
        *,
        entity: str = ...,
        project: str = ...,
        group: str = ...,
        job_type: str = ...,
        tags: str = ...,
        notes: str = ...,
        base_url: str = ...,
        files: bool = ...,
        console: bool = ...,
        weights: bool = ...,
        rate: float = ...,
        name: str = ...,
    ) -> None: ...

class WandbOffline(Part):
    """record files that `wandb sync` brings to Weights & Biases later

    entity: string = '': user or team; empty: WANDB_ENTITY, else the key's own
    project: string = '': empty: WANDB_PROJECT, else the study's name
    group: string = '': of the study's runs; empty: the study's name
    job_type: string = 'train': of the runs
    tags: string = '': of the runs, with commas between them
    notes: string = '': on the runs; empty: the study's question
    folder: string = '': where to, seen from the study's directory; empty: trackers/ and the tracker's name
    console: bool = True: whether what a trial prints goes, too
    """

    def __init__(
        self,
        *,
        entity: str = ...,
        project: str = ...,
        group: str = ...,
        job_type: str = ...,
        tags: str = ...,
        notes: str = ...,
        folder: str = ...,
        console: bool = ...,
        name: str = ...,
    ) -> None: ...

class Webhook(Part):
    """JSON by POST to an address of yours

    url: string = '': where to, http or https
    header: string = 'Authorization': the header that carries the secret
    secret: string = '': the environment variable that holds it; empty: none is sent
    points: int = 1000: the most that one request carries
    """

    def __init__(
        self,
        *,
        url: str = ...,
        header: str = ...,
        secret: str = ...,
        points: int = ...,
        name: str = ...,
    ) -> None: ...

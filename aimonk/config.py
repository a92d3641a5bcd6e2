"""Every setting of a training, as frozen dataclasses that check their values whenever one is made.

`config_file.load_config` reads them from a recipe or a TOML file. A value that is not allowed raises
`pydantic.ValidationError`, also through `dataclasses.replace`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import field
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from .runtime.decode_limits import TRAINING, DecodeLimits
from .threshold_rule import checked_rule, parse_rule

Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
AtLeastOne = Annotated[int, Field(ge=1)]

DEFAULT_FOLDS = 5


def _several(value: object) -> object:
    """Return a single value as a list of one, so that `--set labels.ignore=id` needs no brackets."""
    values = value if isinstance(value, list | tuple) else [value]
    return [str(one).lower() if isinstance(one, bool) else one for one in values]


Several = Annotated[tuple[str, ...], BeforeValidator(_several)]
"""A list of texts; a single text or number stands for a list of one."""

_STRICT = ConfigDict(extra="forbid", coerce_numbers_to_str=True)


@dataclass(frozen=True, config=_STRICT)
class DataConfig:
    """What is accepted as data."""

    max_unusable: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Largest share of label rows whose image may be missing or unreadable."""
    max_pixels: AtLeastOne = TRAINING.max_pixels
    """Pixels that decoding one image may unpack, at up to 16 bytes each; what takes more cannot be used. A
    JPEG is reduced while it is decoded, so that a photo of 108 megapixels stays far below the default. The
    model scores images within the same limit; a server has its own."""
    near_duplicates: Annotated[int, Field(ge=-1, le=16)] = 12
    """Images whose 64-bit perceptual hashes differ by at most so many bits are compared closely, by
    thumbnails: are they one photo? -1 switches it off."""

    @property
    def limits(self) -> DecodeLimits:
        """What an image may cost to be looked at."""
        return dataclasses.replace(TRAINING, max_pixels=self.max_pixels)


@dataclass(frozen=True, config=_STRICT)
class LabelsConfig:
    """How a labels file is read. What is left empty is recognized, and reported with the result.

    Names of columns are matched exactly first, then without regard to case; `attributes` and `ignore`
    also take globs such as `is_*`. Tokens are compared without regard to case, numbers by value: `-1`
    also stands for `-1.0`.
    """

    image: str = ""
    """Column that names the image."""
    attributes: Several = ()
    """Columns (or tags) to learn; empty means all that hold labels."""
    ignore: Several = ()
    """Columns to leave out."""
    group: str = ""
    """Column, or a regular expression with one group over the file name: images that share its value are
    not independent (patient, camera, product, session) and stay together in every split."""
    tags: Several = ()
    """Columns that hold names, one or several in a cell. Each name becomes an attribute. This is also how
    a column of categories is turned into one attribute for each category."""
    separator: str = ""
    """What separates tags in a cell, or in a class folder's name."""
    present: Several = ()
    """Tokens that mean present, instead of the usual ones such as 1 and yes."""
    absent: Several = ()
    """Tokens that mean absent, instead of the usual ones such as 0 and no; may hold "" (blank)."""
    unknown: Several = ()
    """Tokens that mean not known, besides the usual ones such as NA; may hold "" (blank)."""
    split: str = ""
    """Column of predefined sets: train, validation, test."""
    encoding: str = ""
    """Of a text that does not say it, such as cp1250, where the one that is found makes names wrong."""
    threshold: Annotated[float, Field(gt=0)] | None = None
    """Soft labels, numbers from 0 to 1, are present from this value on. A value above 1 reads columns of
    votes, grades or percentages so, too."""
    filled: Literal["ignore", "weigh"] = "ignore"
    """What a training makes of labels that `aimonk fill` filled in: nothing, or a label of lower weight. No
    figure of the evidence rests on them either way. The model that filled them had seen the labels of the
    images that are held out, however, so with `weigh` the scores may flatter a little."""
    filled_weight: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Weight of a filled label in the loss, where a person's has 1."""


@dataclass(frozen=True, config=_STRICT)
class SplitConfig:
    """How images are divided. `random` is scikit-learn's plain split, which duplicates may straddle."""

    kind: Literal["grouped", "random", "column"] = "grouped"
    test: Annotated[float, Field(gt=0, lt=1)] = 0.2
    validation: Share = 0.15
    """Share of the images that are not in the test set."""
    seed: Count = 42


@dataclass(frozen=True, config=_STRICT)
class FeaturesConfig:
    """What turns an image into a vector."""

    backbone: str = "resnet50"
    """A network of `keras.applications` (`NAME` or `NAME@WIDTH`), an ONNX file or the folder of one, or a
    `.keras` file."""
    weights: str = "imagenet"
    """`imagenet`, `none` (random), or the path of a Keras weights file without the top."""
    resolution: Annotated[float, Field(ge=0.25, le=4)] = 12 / 7
    """Height and width of images, as a multiple of those the backbone was made for, to the next 32 pixels
    (224 pixels become 384): things look larger in the crops a backbone was trained on. Touvron, Vedaldi,
    Douze and Jegou, "Fixing the train-test resolution discrepancy", NeurIPS 2019."""
    pooling: Literal["mean", "mean+center", "pyramid"] = "pyramid"
    """Where features are averaged: over the whole image; over that and, again, its middle; or so at every
    scale of the backbone, with the spread over the middle of the finer ones."""
    colors: Annotated[int, Field(ge=0, le=16)] = 1
    """Add the colors in so many places of the image, as shares of a palette. All are the middle, until
    fine-tuning learns where to look; a frozen backbone has no use for a second one."""
    image_size: Count = 0
    """Height and width in pixels that a backbone from a file was trained on, where no file beside it says so;
    0 takes what is found."""
    mean: Annotated[tuple[float, ...], Field(max_length=3)] = ()
    """Of red, green and blue from 0 to 1, by which an ONNX backbone's pixels are normalized, and `std`; empty
    takes what the file beside it says."""
    std: Annotated[tuple[Positive, ...], Field(max_length=3)] = ()
    engine: Literal["auto", "keras", "openvino"] = "auto"
    precision: Literal["auto", "f32", "bf16"] = "auto"
    views: Annotated[tuple[str, ...], Field(min_length=1)] = ("plain",)
    """Deterministic augmentations the head is trained on; `plain` alone is used for scoring."""
    store: str = ""
    """Folder of the feature store; empty means AIMONK_STORE, else the user's cache folder."""


@dataclass(frozen=True, config=_STRICT)
class TrainingConfig:
    """How the head is trained, and whether the backbone is fine-tuned after it."""

    mode: Literal["frozen", "finetune"] = "frozen"
    loss: Literal["weighted_bce", "focal", "asymmetric", "partial_asymmetric"] = "weighted_bce"
    pos_weight_power: NotNegative = 0.5
    """pos_weight = (negatives / positives) ** power; 0 weighs both classes alike."""
    pos_weight_max: NotNegative = 0.0
    """Upper bound of pos_weight; 0 means none."""
    epochs: AtLeastOne = 40
    batch_size: Count = 0
    """Images per iteration; 0 takes all of them."""
    learning_rate: NotNegative = 0.0
    """Of Adam; 0 takes 0.4 / sqrt(features), since each of many features has less to do."""
    schedule: Literal["constant", "cosine"] = "cosine"
    weight_decay: NotNegative = 0.0
    l2: NotNegative = 0.2
    """Penalty on the head's kernel: l2 * features * sum(kernel ** 2) is added to the sum of the losses of all
    known labels, so that one value fits any number of images, attributes and features. It is part of the
    gradient (coupled, unlike weight_decay)."""
    initial_weights: Literal["zeros", "glorot"] = "zeros"
    """Where the head starts. `glorot` is where a Keras Dense layer starts: at random."""
    scale_features: bool = True
    """Standardize each feature with the training images' mean and standard deviation."""
    color_share: Share = 0.125
    """Share of the palette of colors in the variance of scaled features, whatever the number of the others; 0
    weighs each feature alike, so that the colors are outvoted by a large backbone."""
    patience: Count = 8
    """Epochs without a better validation loss before training stops; 0 trains all epochs."""
    seed: Count = 42


@dataclass(frozen=True, config=_STRICT)
class FinetuneConfig:
    """The second phase of `training.mode = "finetune"`, after the head was trained on frozen features."""

    epochs: AtLeastOne = 24
    resolution: Annotated[float, Field(ge=0, le=4)] = 0.0
    """Of the images it is trained on, as `features.resolution` is that of those it answers for; 0 takes that.
    Somewhat smaller is faster and no worse: random crops enlarge things (see there)."""
    batch_size: AtLeastOne = 32
    learning_rate: Positive = 1e-3
    warmup_epochs: NotNegative = 1.0
    weight_decay: NotNegative = 1e-4
    last_layers: Count | str = 0
    """Train only the last N layers of the backbone, or those from the layer of that name on; 0 trains all."""
    augment: tuple[Literal["flip", "crop", "rotate", "color", "erase"], ...] = (
        "flip",
        "crop",
        "rotate",
        "color",
        "erase",
    )
    dropout: Share = 0.0
    """Share of features left out in each iteration."""
    average: Share = 0.0
    """Decay of an exponential moving average of the weights; 0 switches it off."""
    mixed_precision: bool = False


@dataclass(frozen=True, config=_STRICT)
class EvaluationConfig:
    """How "did it learn anything?" is answered."""

    folds: Annotated[int, Field(ge=0, le=50)] | Literal["auto"] = "auto"
    """Score every image by k-fold cross-validation; 0 scores the test set of the split only. `auto` is 5,
    and 0 where `split.kind` is `random` or `column`, which divide the images once."""
    refit: bool = False
    """Without folds: once the test set is scored, train what ships on every image, as with folds. The scores
    are then those of a model that was trained the same way on fewer images."""
    permutations: Annotated[int, Field(ge=100)] = 10_000
    resamples: Annotated[int, Field(ge=100)] = 2_000
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """Family-wise error rate of the verdicts."""
    threshold: Annotated[str, AfterValidator(checked_rule)] = "f1"
    """`f1`, `precision>=P`, `recall>=R`, or a fixed number such as `0.5`."""
    calibrate: bool = True
    suspects: Count = 40
    """How many suspect labels the report lists."""
    learning_curve: bool | Literal["auto"] = "auto"
    """Train on growing shares of the images too, to say what more labels would bring; that takes 1.5 times as
    long as the folds. `auto` does so for a frozen backbone and at most a million images times attributes."""


@dataclass(frozen=True, config=_STRICT)
class TrackingConfig:
    """Where a run is kept and how its pictures are titled."""

    experiment: Annotated[str, Field(min_length=1)] = "aimonk"
    register: Annotated[str, Field(min_length=1)] = "aimonk"
    """Name of the registered model that the new version joins."""
    title: str = "Aimonk_multilabel_problem"
    attribute_metrics: Count = 100
    """How many attributes have metrics of their own; the table `attributes.json` holds all of them."""
    patience: NotNegative = 600.0
    """Seconds to wait at the end for a tracking store that is away. A training itself never waits for it."""


@dataclass(frozen=True, config=_STRICT)
class Config:
    """All settings of one training."""

    data: DataConfig = field(default_factory=DataConfig)
    labels: LabelsConfig = field(default_factory=LabelsConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    features: FeaturesConfig = field(default_factory=FeaturesConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    finetune: FinetuneConfig = field(default_factory=FinetuneConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.split.kind != "grouped" and self.folds:
            raise ValueError(
                f"split.kind={self.split.kind} divides the images once, but evaluation.folds={self.folds} "
                "asks for cross-validation; set evaluation.folds=0, or split.kind=grouped"
            )
        if self.labels.filled == "weigh" and self.training.mode == "finetune":
            raise ValueError(
                "labels.filled=weigh is for a frozen backbone, but training.mode is finetune; set one of "
                "labels.filled=ignore and training.mode=frozen"
            )
        choosing = {
            "training.patience": self.training.patience > 0,
            "evaluation.calibrate": self.evaluation.calibrate,
            "evaluation.threshold": parse_rule(self.evaluation.threshold).kind != "fixed",
        }
        chosen = next((name for name, chooses in choosing.items() if chooses), None)
        if self.split.validation == 0 and chosen and self.split.kind != "column":
            raise ValueError(
                f"{chosen} is chosen on validation images, but split.validation is 0; raise it, or choose "
                "nothing (training.patience=0, evaluation.calibrate=false, evaluation.threshold=0.5)"
            )
        return self

    @property
    def folds(self) -> int:
        """The number of folds of the cross-validation; 0 for a single test set."""
        if self.evaluation.folds == "auto":
            return DEFAULT_FOLDS if self.split.kind == "grouped" else 0
        return self.evaluation.folds

    def flat(self) -> dict[str, Any]:
        """`{"section.key": value}` of every setting, as MLflow parameters have it."""
        sections = dataclasses.asdict(self)
        return {
            f"{section}.{key}": value for section, keys in sections.items() for key, value in keys.items()
        }

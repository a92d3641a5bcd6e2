"""The second phase: the backbone is trained along with the head it was given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ...config import FinetuneConfig, TrainingConfig
from ..backend import keras, tf
from ..class_weights import pos_weights, prevalences
from ..history import History, Observer
from ..linear_probe.batches import batch_count
from ..losses import Tensor, batch_loss
from .checkpoint import Checkpoint, identity_of, read_checkpoint, write_checkpoint
from .folded_norms import norms_folded
from .gradients import gradients, pairwise_sums
from .joined_moments import moments_joined
from .network import choose_trainable, computing_in_bfloat16, leaf_layers
from .optimizer import assign, averaged, make_optimizer, values_of
from .pipeline import scoring_batches, training_batches
from .validation_loss import mean_average_precision


def finetune(
    model: keras.Model,
    images: np.ndarray,
    targets: np.ndarray,
    train: np.ndarray,
    validation: np.ndarray,
    training: TrainingConfig,
    config: FinetuneConfig,
    observer: Observer | None = None,
    checkpoint: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> History:
    """Train `model` (of `model_from_head`) in place, and leave it with the weights of its best epoch.

    `images (N, H, W, 3) uint8`, `targets (N, L)`; `train` and `validation` index them. Loss, class weights
    and seed are those of `training`. The best epoch is the one with the highest mean AP on `validation` (the
    loss rises long before the ranking gets worse); without validation images it is the last.

    With a `checkpoint` folder the state is written there after each epoch, before the observer gets its
    losses, and a checkpoint found there is resumed. The observer then gets the epochs already done once more,
    since it may have missed the last one; it drops the iterations that it has. `progress` counts iterations.
    The same arguments give the same network, bit for bit, on one machine.
    Raises ModelError for a damaged checkpoint or one of another training.
    """
    choose_trainable(model, config.last_layers)
    with (
        computing_in_bfloat16(model, config.mixed_precision),
        norms_folded(model),
        moments_joined(model),
        pairwise_sums(),
    ):
        run = _Finetuning(model, images, targets, train, validation, training, config)
        if checkpoint is not None:
            run.resume(read_checkpoint(checkpoint, run.identity), observer)
        while run.epoch < config.epochs:
            losses = run.next_epoch(progress)
            if checkpoint is not None:
                write_checkpoint(checkpoint, run.checkpoint())
            run.report(observer, run.epoch, losses)
    return run.finish()


class _Finetuning:
    """A fine-tuning under way."""

    def __init__(
        self,
        model: keras.Model,
        images: np.ndarray,
        targets: np.ndarray,
        train: np.ndarray,
        validation: np.ndarray,
        training: TrainingConfig,
        config: FinetuneConfig,
    ) -> None:
        self.model, self.images, self.targets = model, images, targets
        self.train, self.validation = train, validation
        self.training, self.config = training, config
        self.steps = batch_count(len(train), config.batch_size)
        self.identity = identity_of(images, targets, train, validation, training, config)
        self.optimizer = make_optimizer(model.trainable_variables, config, self.steps)
        self.step, self.score = _compiled(model, self.optimizer, targets[train], training)
        self.epoch = 0
        self.best_epoch = 0
        self.best: list[np.ndarray] = []
        self.losses: list[np.ndarray] = []
        self.validation_losses: list[float] = []
        self.scores: list[float] = []
        self.batches: Iterator[tuple[Tensor, Tensor]] | None = None
        for number, variable in enumerate(_generators(model)):
            variable.assign([training.seed, number])

    def next_epoch(self, progress: Callable[[int, int], None] | None) -> np.ndarray:
        """Train for an epoch, look at the validation images, and return the raw loss of each iteration."""
        if self.batches is None:
            self.batches = iter(self._training_batches())
        losses = []
        for number in range(self.steps):
            losses.append(self.step(*next(self.batches)))
            if progress is not None:
                progress(self.epoch * self.steps + number + 1, self.config.epochs * self.steps)
        self.epoch += 1
        self.losses.append(np.array([loss.numpy() for loss in losses], dtype=np.float32))
        self._validate()
        return self.losses[-1]

    def report(self, observer: Observer | None, epoch: int, losses: np.ndarray) -> None:
        """Pass the losses of an epoch to the observer."""
        if observer is not None:
            observer.iterations((epoch - 1) * self.steps + 1, losses)
            seen = self.validation_losses
            observer.epoch(epoch, epoch * self.steps, seen[epoch - 1] if seen else None)

    def resume(self, checkpoint: Checkpoint | None, observer: Observer | None) -> None:
        """Resume from a checkpoint, if there is one."""
        if checkpoint is None:
            return
        assign(self.model.variables, checkpoint.model)
        assign(self.optimizer.variables, checkpoint.optimizer)
        self.epoch, self.best_epoch = checkpoint.epoch, checkpoint.best_epoch
        self.best = list(checkpoint.best)
        self.validation_losses = checkpoint.validation_losses.tolist()
        self.scores = checkpoint.validation_scores.tolist()
        self.losses = np.split(checkpoint.iteration_losses, self.epoch) if self.epoch else []
        for epoch, losses in enumerate(self.losses, start=1):
            self.report(observer, epoch, losses)

    def checkpoint(self) -> Checkpoint:
        """The state after the epoch that was last."""
        return Checkpoint(
            identity=self.identity,
            epoch=self.epoch,
            best_epoch=self.best_epoch,
            iteration_losses=np.concatenate(self.losses),
            validation_losses=np.array(self.validation_losses),
            validation_scores=np.array(self.scores),
            model=values_of(self.model.variables),
            best=tuple(self.best),
            optimizer=values_of(self.optimizer.variables),
        )

    def finish(self) -> History:
        """Give the model its best weights."""
        if self.best:
            assign(self.model.trainable_variables, self.best)
        ends = tuple(self.steps * epoch for epoch in range(1, self.epoch + 1))
        losses = np.concatenate(self.losses or [np.zeros(0, np.float32)])
        return History(losses, ends, tuple(self.validation_losses), self.best_epoch)

    def _training_batches(self) -> tf.data.Dataset:
        epochs = range(self.epoch + 1, self.config.epochs + 1)
        size, augment, seed = self.config.batch_size, self.config.augment, self.training.seed
        return training_batches(self.images, self.targets, self.train, size, augment, seed, epochs)

    def _validate(self) -> None:
        """Note how good the weights are (their moving average, if there is one), and keep the best ones."""
        with averaged(self.model.trainable_variables, self.optimizer, self.config.average):
            if len(self.validation):
                loss, score = self._validation_loss_and_score()
                self.validation_losses.append(loss)
                self.scores.append(score)
            if not self.scores or np.argmax(self.scores) == self.epoch - 1:
                self.best_epoch = self.epoch
                self.best = list(values_of(self.model.trainable_variables))

    def _validation_loss_and_score(self) -> tuple[float, float]:
        batches = scoring_batches(self.images, self.targets, self.validation, self.config.batch_size)
        logits = np.concatenate([self.score(images).numpy() for images, _ in batches])[: len(self.validation)]
        targets = self.targets[self.validation].astype(np.float32)
        weights = _class_weights(self.targets[self.train], self.training)
        loss = batch_loss(self.training.loss)(tf.constant(targets), tf.constant(logits), *weights)
        return float(loss), mean_average_precision(targets, logits)


def _compiled(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, targets: np.ndarray, training: TrainingConfig
) -> tuple[Callable[[Tensor, Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """One iteration, `(images, targets) -> loss before it`; and scoring, `images -> (B, L) logits`."""
    loss = batch_loss(training.loss)
    weights = _class_weights(targets, training)
    variables = model.trainable_variables

    @tf.function
    def step(images: Tensor, targets: Tensor) -> Tensor:
        value = loss(targets, model(images, training=True), *weights)
        optimizer.apply(gradients(value, variables), variables)
        return value

    @tf.function
    def score(images: Tensor) -> Tensor:
        return model(images, training=False)

    return step, score


def _class_weights(targets: np.ndarray, training: TrainingConfig) -> tuple[Tensor, Tensor]:
    weights = pos_weights(targets, training.pos_weight_power, training.pos_weight_max)
    return tf.constant(weights), tf.constant(prevalences(targets))


def _generators(model: keras.Model) -> list[keras.Variable]:
    """Return the states of the random generators inside the model, of dropout for example."""
    found = (getattr(layer, "seed_generator", None) for layer in leaf_layers(model))
    return [generator.state for generator in found if generator is not None]

"""The seed's recipe, written plainly in Keras: what `training_time.py` measures aimonk against.

    python experiments/benchmarks/seed_keras.py --data DIR [--labels FILE] [--epochs 5]

Decode and resize every image, keep them in memory, and fit a dense layer on a frozen ResNet50 with random
weights by Adam at 1e-4, in batches of 32, with a weighted loss that leaves unknown labels out. Prints the
losses of the last epoch. It neither saves nor tracks anything, and says nothing of what was learned.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402

SIZE, BATCH, UNKNOWN = 224, 32, -1.0
VALUES = {"1": 1.0, "0": 0.0, "NA": UNKNOWN}


def read_labels(data: Path, labels: Path) -> tuple[list[str], np.ndarray]:
    """Paths of the images that are there, and `(N, L)` of 1, 0 and -1."""
    rows = [line.split() for line in labels.read_text().splitlines() if line.strip()]
    rows = [row for row in rows if (data / row[0]).is_file()]
    targets = np.array([[VALUES[value] for value in row[1:]] for row in rows], dtype=np.float32)
    return [str(data / row[0]) for row in rows], targets


def decode(path: tf.Tensor, target: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """A file as ResNet50 wants it."""
    image = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
    image = tf.image.resize(image, (SIZE, SIZE))
    return keras.applications.resnet50.preprocess_input(image), target


def dataset(paths: list[str], targets: np.ndarray, shuffle: bool) -> tf.data.Dataset:
    """Batches; decoded once and kept."""
    images = tf.data.Dataset.from_tensor_slices((paths, targets))
    images = images.map(decode, num_parallel_calls=tf.data.AUTOTUNE).cache()
    if shuffle:
        images = images.shuffle(len(paths), seed=42)
    return images.batch(BATCH).prefetch(tf.data.AUTOTUNE)


def weighted_loss(targets: np.ndarray) -> keras.losses.Loss:
    """Binary cross-entropy with weight negatives / positives on the positives, over the known labels."""
    positives, negatives = (np.sum(targets == value, axis=0) for value in (1, 0))
    weights = tf.constant(negatives / np.maximum(positives, 1), dtype=tf.float32)

    def loss(truth: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        known = tf.cast(truth != UNKNOWN, tf.float32)
        cells = tf.nn.weighted_cross_entropy_with_logits(tf.maximum(truth, 0.0), logits, weights)
        return tf.reduce_sum(cells * known) / tf.maximum(tf.reduce_sum(known), 1.0)

    return loss


def network(outputs: int) -> keras.Model:
    """A frozen ResNet50 and a dense layer."""
    backbone = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(SIZE, SIZE, 3))
    backbone.trainable = False
    inputs = keras.Input((SIZE, SIZE, 3))
    features = keras.layers.GlobalAveragePooling2D()(backbone(inputs, training=False))
    return keras.Model(inputs, keras.layers.Dense(outputs)(features))


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--epochs", type=int, default=5)
    given = parser.parse_args()
    keras.utils.set_random_seed(42)
    paths, targets = read_labels(given.data, given.labels or given.data.parent / "labels.txt")
    parts = train_test_split(paths, targets, test_size=0.2, random_state=42)
    train_paths, test_paths, train_targets, test_targets = parts
    model = network(targets.shape[1])
    model.compile(keras.optimizers.Adam(1e-4), weighted_loss(train_targets))
    history = model.fit(
        dataset(train_paths, train_targets, shuffle=True),
        validation_data=dataset(test_paths, test_targets, shuffle=False),
        epochs=given.epochs,
        verbose=0,
    )
    last = {name: round(losses[-1], 4) for name, losses in history.history.items()}
    print(f"{len(train_paths)} images trained on, {len(test_paths)} held out; last epoch: {last}")


if __name__ == "__main__":
    main()

"""The initial weights of a Keras Dense layer, number for number, without TensorFlow.

The recipe of the original notebook starts from Keras' Glorot uniform weights, so they must stay the same.
"""

from __future__ import annotations

import numpy as np

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_SCRAMBLE = (0x3EC8F720, 0x02461E29)
"""The key with which TensorFlow scrambles a seed (`GenerateKey` in its `stateless_random_ops.cc`)."""
_LOW = np.uint64(0xFFFFFFFF)
_ROUNDS = 10


def glorot_uniform(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Weights uniform in +-sqrt(6 / (inputs + outputs)), those of `keras.initializers.GlorotUniform(seed)`.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS
    2010, equation 16. The numbers are those of `tf.random.stateless_uniform` with the seed `[seed, 0]`:
    Philox 4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011).

    Args:
        shape: inputs and outputs of the layer.
        seed: at least 0.

    Returns:
        `shape` float32.

    Example:
        >>> glorot_uniform((2, 1), seed=42).shape
        (2, 1)

    """
    limit = np.float32(np.sqrt(6 / sum(shape)))
    seed %= 2**31 - 2  # as Keras does
    mixed = _philox(np.array([[seed, 0, 0, 0]], np.uint64), _SCRAMBLE)[0]
    size = int(np.prod(shape))
    counters = np.zeros((-(-size // 4), 4), np.uint64)
    counters[:, 0] = np.arange(len(counters))
    counters[:, 2:] = mixed[2:]
    bits = _philox(counters, (int(mixed[0]), int(mixed[1]))).ravel()[:size].astype(np.uint32)
    # 23 random bits become the mantissa of a number in [1, 2).
    unit = ((bits & np.uint32(0x7FFFFF)) | np.uint32(0x3F800000)).view(np.float32) - np.float32(1)
    return np.asarray(unit * (limit + limit) - limit, np.float32).reshape(shape)


def _philox(counters: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    """Ten rounds on `(n, 4) uint64` counters that hold 32 bits each; returns the same shape."""
    a, b, c, d = counters.T
    for turn in range(_ROUNDS):
        low, high = (
            np.uint64((word + turn * step) & 0xFFFFFFFF) for word, step in zip(key, _WEYL, strict=True)
        )
        first, second = a * _MULTIPLIERS[0], c * _MULTIPLIERS[1]
        a, c = (second >> np.uint64(32)) ^ b ^ low, (first >> np.uint64(32)) ^ d ^ high
        b, d = second & _LOW, first & _LOW
    return np.stack([a, b, c, d], axis=1)

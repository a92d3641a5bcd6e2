"""Which network turns an image into numbers: Keras' zoo, weights, pooling, colors, and its graph on disk."""

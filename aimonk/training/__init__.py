"""Training: a linear head on features, and fine-tuning. Importing this imports no TensorFlow."""

"""A search over settings of the training: each tried by cross-validation, the best trained on all images."""

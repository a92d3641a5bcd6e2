"""The whole network, trained on augmented pixels."""

"""What held-out images say of a model: metrics, evidence, thresholds, calibration, comparison."""

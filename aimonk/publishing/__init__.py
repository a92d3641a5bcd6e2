"""What a training or a sweep leaves behind in MLflow: package, evidence, report, version."""

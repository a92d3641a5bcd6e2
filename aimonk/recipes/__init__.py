"""Built-in settings, by name: `--config default`, `--config finetune`, `--config notebook`."""

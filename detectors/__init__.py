"""What is wrong? One package per kind, pure folds."""

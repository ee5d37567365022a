"""What a user would pick instead, each as its makers ship it, below build/bench (not in git)."""

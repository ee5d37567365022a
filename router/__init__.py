"""Who must act? Event to incident to ticket: pure decisions that return their reason."""

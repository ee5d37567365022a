"""The scorecard of lines."""

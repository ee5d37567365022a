"""The scorecard of falls."""

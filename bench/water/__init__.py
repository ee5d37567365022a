"""The scorecard of water."""

"""What scorecards have in common: intervals, seeds, figures, worker processes, code hashes."""

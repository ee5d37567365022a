"""Sewers in rain, blockages and faulty sensors: EPA SWMM behind simulated instruments."""

"""Drainage networks out of SWMM input files (`.inp`)."""

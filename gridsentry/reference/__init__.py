"""Generates the references in docs/generated from the code itself: nothing is written twice."""

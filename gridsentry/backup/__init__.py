"""A whole service into a folder and back: database, evidence, city folder, keys."""

"""The nouns and the laws every room shares. Imports nothing of ours."""

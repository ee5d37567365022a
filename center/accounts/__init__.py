"""Who logs in, how, and what part of the city they see."""

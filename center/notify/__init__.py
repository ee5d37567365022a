"""Reaching people and systems outside: webhooks and messengers, each target on its own."""

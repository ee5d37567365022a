"""What people and systems see: API, live stream, pages. The only place that knows aiohttp."""

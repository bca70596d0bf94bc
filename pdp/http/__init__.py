"""The HTTP face: AuthZEN over aiohttp. It translates and calls the workflow, and decides nothing."""

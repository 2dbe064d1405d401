"""Receivers of webhooks, correct ones and ones with the mistakes that real ones have.

receiving   verification and the log of what a receiver acted on, shared by all
plain       receivers on http.server
frameworks  receivers on Flask, FastAPI and aiohttp, where these are installed
"""

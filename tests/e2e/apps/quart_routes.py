"""The servers page's Quart application, with a limit for whole responses that its route must turn off."""

from quart_app import app

app.config["RESPONSE_TIMEOUT"] = 3

"""The servers page's Sanic application, with a limit for silence that is shorter than upstream's."""

from sanic_app import app

app.config.RESPONSE_TIMEOUT = 3

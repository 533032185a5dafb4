"""The Flask page's route in the application of the page about shutting down."""

from flask_app import chat
from flask_shutdown import app

app.get("/chat")(chat)

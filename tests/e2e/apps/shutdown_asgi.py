"""The FastAPI page's route in the application of the page about shutting down."""

from fastapi_app import chat
from fastapi_shutdown import app

app.get("/chat")(chat)

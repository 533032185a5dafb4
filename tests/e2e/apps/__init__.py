"""The how-to pages' applications, with the routes that only the tests need."""

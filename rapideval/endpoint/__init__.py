"""The endpoint: built-in models and samples for the demo, the local server, the client."""

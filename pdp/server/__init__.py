"""The composition root and the edge of gRPC: what runs for as long as the server does."""

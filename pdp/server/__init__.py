"""The composition root, the edge of gRPC, and everything else that runs as long as the server."""

"""The page for C++: the program in it is built, and asks."""

from tests.languages.clients import read

TOOLS = ("g++", "pkg-config", "protoc", "grpc_cpp_plugin")
LIBRARIES = ("grpc++", "protobuf", "libcrypto")


def tried() -> None:
    """Type the page, with the `protoc` beside gRPC's library: code of another version does not compile against it."""
    read("cpp")

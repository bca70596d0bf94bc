"""The protoc plugin `grpc_python` as a process of its own; grpcio-tools has it only inside its protoc.

Run by buf in the virtual environment of requirements-gen.lock.
"""

import sys
import tempfile
from pathlib import Path

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc


def response(request: CodeGeneratorRequest) -> CodeGeneratorResponse:
    """What protoc writes for the request's files, read back from a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        descriptors, out = Path(folder, "descriptors"), Path(folder, "out")
        descriptors.write_bytes(FileDescriptorSet(file=request.proto_file).SerializeToString())
        out.mkdir()
        arguments = ["protoc", f"--descriptor_set_in={descriptors}", f"--grpc_python_out={out}"]
        if protoc.main([*arguments, *request.file_to_generate]):
            return CodeGeneratorResponse(error="grpc_python: protoc failed, see above")
        answer = CodeGeneratorResponse(supported_features=CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL)
        for file in sorted(path for path in out.rglob("*") if path.is_file()):
            answer.file.add(name=file.relative_to(out).as_posix(), content=file.read_text())
        return answer


if __name__ == "__main__":
    answer = response(CodeGeneratorRequest.FromString(sys.stdin.buffer.read()))
    sys.stdout.buffer.write(answer.SerializeToString())

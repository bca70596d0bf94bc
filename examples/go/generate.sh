#!/bin/sh
# Makes pdpv1/ from proto/, with protoc and the two plugins that go.mod names.
set -eu
GOBIN="$PWD/build" go install tool
set -- proto/pdp/v1/*.proto
options=
for file in "$@"; do
    name=${file#proto/}
    options="$options --go_opt=M$name=example/ask/pdpv1 --go-grpc_opt=M$name=example/ask/pdpv1"
done
# shellcheck disable=SC2086  # one option a word
PATH="$PWD/build:$PATH" protoc -Iproto --go_out=. --go_opt=module=example/ask \
    --go-grpc_out=. --go-grpc_opt=module=example/ask $options "$@"

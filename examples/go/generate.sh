#!/bin/sh
# Makes pdp/v1 from proto/, with protoc and the two plugins that go.mod names.
set -eu
GOBIN="$PWD/build" go install tool
PATH="$PWD/build:$PATH" protoc -Iproto --go_out=. --go_opt=module=placet/clients/go \
    --go-grpc_out=. --go-grpc_opt=module=placet/clients/go proto/pdp/v1/*.proto

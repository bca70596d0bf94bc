#!/bin/sh
# Makes pdp/v1 from the contract, with protoc (or $PROTOC) and the two plugins that tools/go.mod names.
set -eu
(cd tools && GOBIN="$PWD/../build" go install tool)
PROTO="${PROTO:-../../proto}"
PATH="$PWD/build:$PATH" "${PROTOC:-protoc}" -I"$PROTO" --go_out=. --go_opt=module=placet/clients/go \
    --go-grpc_out=. --go-grpc_opt=module=placet/clients/go "$PROTO"/pdp/v1/*.proto

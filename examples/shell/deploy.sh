#!/usr/bin/env bash
# Deploys a version to an environment if Placet allows it: ./deploy.sh ENVIRONMENT VERSION [APPROVAL]
set -euo pipefail
cd "$(dirname "$0")"

if [ $# -lt 2 ]; then
    echo "usage: $0 ENVIRONMENT VERSION [APPROVAL]" >&2
    exit 2
fi
environment=$1
version=$2
approval=${3:-}

status=0
pdp run --action deploy --resource "environment:$environment" --justification "deploys $version" \
    ${approval:+--approval-id "$approval"} -- ./release.sh "$environment" "$version" || status=$?

case $status in
0) echo "deployed $version to $environment" ;;
10) echo "not deployed: the policy denies it" >&2 ;;
11) echo "not deployed yet: once it is approved, run $0 $environment $version with the approval's id" >&2 ;;
12) echo "not deployed: the approval does not count, for the reason above; without its id you ask again" >&2 ;;
69) echo "not deployed: no decision point answers" >&2 ;;
77) echo "not deployed: the token is missing or may not ask, or the release changed after it was allowed" >&2 ;;
*) echo "the release failed with status $status" >&2 ;;
esac
exit "$status"

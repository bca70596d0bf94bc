#!/bin/sh
# Installs Placet as the images have it: `ops/install.sh IMAGE PREFIX MASKS`, from a copy of the sources.
#
# IMAGE is server or server-mask. PREFIX gets Python with all packages, each by its hash, and OPA: the one on the PATH, or
# the release with the SHA-256 in OPA_SHA256, or without that one built by Go. MASKS gets what is compiled of the masks.
# Neither folder may exist.
set -eu
umask 022
image=$1 prefix=$2 masks=$3
cd "$(dirname "$0")/.."
export GOTOOLCHAIN="${GOTOOLCHAIN:-auto}"  # OPA may want a newer Go than the system's
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
case $(readlink -f "$(command -v python3)") in
    ~root/* | /home*) echo "note: python3 lies in a home, which a server of systemd does not see; use the system's" >&2 ;;
esac
python3 -m venv "$prefix"
"$prefix/bin/pip" install --quiet --require-hashes --requirement "ops/requirements-$image.lock"
"$prefix/bin/pip" install --quiet --no-deps --no-build-isolation .
opa=$("$prefix/bin/python" -m pdp.process.toolcache ${OPA_SHA256:+"$OPA_SHA256"})
install -m 0755 "$opa" "$prefix/bin/opa"
mkdir -m 0700 "$masks"
if [ "$image" = server-mask ]; then
    PDP_TOOL_CACHE=$masks "$prefix/bin/python" -m pdp.masking.warming
fi
"$prefix/bin/pip" uninstall --quiet --yes setuptools pip
